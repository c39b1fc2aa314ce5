//! What the invented bank holds: spaces with their files, and what a collector would find out about their storage. Ids are
//! those of `config/bank.toml`.

use super::rng::Weighted;

/// Tenant of the bank.
pub(super) const TENANT: &str = "ding8f2c41a0b7d9e63524f2f5cc6abecb85";
/// Tenant of the Shenzhen subsidiary.
pub(super) const TENANT_SZ: &str = "ding41c07be95d2a8f3635c2f4657eb6378f";

/// A space or a knowledge base.
pub(super) struct Space {
    pub(super) id: Spot,
    /// Name in rows, as a receiver.
    pub(super) name: &'static str,
    pub(super) tenant: &'static str,
    /// `orgName` of its rows.
    pub(super) org: &'static str,
    /// File names; `#` stands for a number.
    pub(super) files: &'static [&'static str],
    pub(super) evidence: &'static Weighted<Evidence>,
    /// To whom its files go outside, and how often of a thousand.
    pub(super) outward: u32,
}

/// How a space is named in rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// `targetSpaceId`.
    Space(u64),
    /// One of the many spaces that no list knows, counted from this id.
    Unlisted(u64),
    /// `workSpaceId`.
    Wiki(&'static str),
}

/// DingTalk's region enum and the first resource URL, up to the object key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    pub(super) region: &'static str,
    pub(super) url: &'static str,
    pub(super) partition: &'static str,
}

const fn shared(region: &'static str, url: &'static str) -> Evidence {
    Evidence { region, url, partition: "PUBLIC_OSS_PARTITION" }
}

const fn dedicated(url: &'static str) -> Evidence {
    Evidence { region: "UNKNOWN", url, partition: "MINI_OSS_PARTITION" }
}

static IN_HK: Weighted<Evidence> = Weighted::new(&[
    (700, dedicated("https://vhb-hk-files.oss-cn-hongkong.aliyuncs.com/yundisk0/")),
    (120, dedicated("https://vhb-hk-files.oss-cn-hongkong-internal.aliyuncs.com/yundisk0/")),
    (100, dedicated("https://vhb-hk-files.cn-hongkong.oss.aliyuncs.com/yundisk0/")),
    // these hosts hide the region; the tenant's setting speaks
    (40, dedicated("https://vhb-hk-files.oss-accelerate.aliyuncs.com/yundisk0/")),
    (30, dedicated("https://files.vhb.example/yundisk0/")),
    (9, dedicated("https://cdn.vhb.example/yundisk0/")),
    // a file that was put into the ordinary storage after all
    (1, shared("ZHANGJIAKOU", "https://zjk-dualstack.trans.dingtalk.com/yundisk0/")),
]);

static IN_ZHANGJIAKOU: Weighted<Evidence> = Weighted::new(&[
    (5, shared("ZHANGJIAKOU", "https://zjk-dualstack.trans.dingtalk.com/yundisk0/")),
    (3, shared("ZHANGJIAKOU", "https://lippi-space-zjk.oss-cn-zhangjiakou.aliyuncs.com/yundisk0/")),
    (1, shared("UNKNOWN", "https://preview-lippi-space-zjk.oss-accelerate.aliyuncs.com/yundisk0/")),
]);

static IN_SINGAPORE: Weighted<Evidence> = Weighted::new(&[
    (4, shared("SINGAPORE", "https://vhb-sg-files.oss-ap-southeast-1.aliyuncs.com/yundisk0/")),
    (1, shared("SINGAPORE", "https://sg-files.vhb.example/yundisk0/")),
]);

static IN_SHENZHEN: Weighted<Evidence> = Weighted::new(&[
    (3, shared("SHENZHEN", "https://sz-dualstack.trans.dingtalk.com/yundisk0/")),
    (2, shared("SHENZHEN", "https://lippi-space-sz.oss-accelerate.aliyuncs.com/yundisk0/")),
    (1, shared("SHENZHEN", "https://lippi-space-sz.oss-cn-shenzhen.aliyuncs.com/yundisk0/")),
]);

const BANK: &str = "維港銀行有限公司";

const fn held(id: u64, name: &'static str, files: &'static [&'static str], outward: u32) -> Space {
    Space { id: Spot::Space(id), name, tenant: TENANT, org: BANK, files, evidence: &IN_HK, outward }
}

const CUSTOMER_FILES: &[&str] = &[
    "客戶名單_2026Q4_#.xlsx",
    "零售客戶聯絡表_#.xlsx",
    "Customer master #.csv",
    "開戶文件_#.pdf",
    "KYC review #.docx",
];
const SUPPORT_FILES: &[&str] =
    &["客服工單匯總_#.xlsx", "Ticket export #.csv", "投訴跟進_#.docx", "服务工单附件_#.png", "Call summary #.txt"];

pub(super) static CUSTOMERS: Space = held(24_870_551_923, "團隊空間/客戶資料", CUSTOMER_FILES, 12);

pub(super) static PAYROLL: Space = held(
    24_870_551_987,
    "團隊空間/薪酬",
    &["薪金表_2026-11_#.xlsx", "IR56B_#.pdf", "MPF contribution #.xlsx", "花紅計算_#.xlsx"],
    10,
);

pub(super) static CLAIMS: Space = held(
    24_870_552_011,
    "團隊空間/醫療索償",
    &["僱員醫療索償_#.pdf", "Hospital receipt #.jpg", "牙科索償_#.pdf", "體檢報告_#.pdf"],
    30,
);

pub(super) static BROCHURES: Space = held(
    24_870_552_046,
    "團隊空間/宣傳品",
    &["Rate sheet #.pdf", "開戶優惠_#.pdf", "按揭小冊子_#.pdf", "Branch poster #.png"],
    100,
);

pub(super) static SUPPORT: Space = held(24_870_552_113, "團隊空間/客戶服務", SUPPORT_FILES, 40);

pub(super) static LOANS: Space = held(
    24_870_552_190,
    "團隊空間/深圳貸款",
    &["贷款申请_#.pdf", "收入证明_#.pdf", "Loan file #.pdf", "抵押评估_#.docx"],
    8,
);

pub(super) static SG_CLIENTS: Space = Space {
    evidence: &IN_SINGAPORE,
    org: "Victoria Harbour Bank (Singapore) Pte. Ltd.",
    ..held(
        24_870_552_277,
        "SG/Clients",
        &["Client list #.xlsx", "Portfolio review #.pdf", "\"Know your client\" form #.docx"],
        0,
    )
};

pub(super) static ARCHIVE: Space =
    held(24_870_552_304, "團隊空間/歸檔", &["歸檔_客戶結單_#.zip", "Statement archive #.zip"], 0);

pub(super) static OLD_EXPORTS: Space = Space {
    evidence: &IN_ZHANGJIAKOU,
    ..held(24_870_552_358, "舊匯出", &["customer_export_2023_#.csv", "舊客戶匯出_#.csv"], 0)
};

pub(super) static SUMMARIES: Space = Space {
    evidence: &IN_SINGAPORE,
    ..held(24_870_552_399, "客戶摘要", &["Customer summary #.docx", "客戶摘要_#.docx"], 0)
};

pub(super) static HANDBOOK: Space = Space {
    id: Spot::Wiki("Yq8KvZ1rNm4XpLdT"),
    ..held(0, "分行手冊", &["櫃檯流程_#", "Branch opening checklist #", "印章使用须知_#"], 0)
};

pub(super) static OFFICE: Space = Space {
    id: Spot::Unlisted(25_011_804_000),
    ..held(
        0,
        "團隊空間/日常",
        &[
            "會議紀錄_#.docx",
            "Meeting notes #.docx",
            "採購申請_#.pdf",
            "周报_#.docx",
            "Org chart #.pptx",
            "預算\\草稿_#.xlsx",
        ],
        6,
    )
};

pub(super) static SZ_WORKPLACE: Space = Space {
    tenant: TENANT_SZ,
    org: "维港科技（深圳）有限公司",
    evidence: &IN_SHENZHEN,
    ..held(31_500_088_217, "深圳职场", &["考勤_#.xlsx", "工位安排_#.xlsx", "门禁名单_#.xlsx"], 0)
};

/// Where the bank's own staff work.
pub(super) static OF_BANK: Weighted<&Space> = Weighted::new(&[
    (2800, &CUSTOMERS),
    (2600, &OFFICE),
    (1500, &SUPPORT),
    (900, &BROCHURES),
    (500, &PAYROLL),
    (450, &LOANS),
    (350, &ARCHIVE),
    (300, &CLAIMS),
    (60, &SUMMARIES),
    (30, &OLD_EXPORTS),
]);

/// Where the Shenzhen subsidiary works.
pub(super) static OF_SHENZHEN: Weighted<&Space> = Weighted::new(&[
    (300, &SZ_WORKPLACE),
    (250, &LOANS),
    (180, &OFFICE),
    (150, &SUPPORT),
    (90, &CUSTOMERS),
    (25, &BROCHURES),
    (5, &CLAIMS),
]);

/// Where the Singapore office works.
pub(super) static OF_SINGAPORE: Weighted<&Space> = Weighted::new(&[
    (550, &SG_CLIENTS),
    (180, &CUSTOMERS),
    (120, &SUPPORT),
    (100, &OFFICE),
    (40, &BROCHURES),
    (6, &PAYROLL),
    (4, &LOANS),
]);

/// What the vendor in Hangzhou is let into.
pub(super) static OF_VENDOR: Weighted<&Space> =
    Weighted::new(&[(900, &SUPPORT), (80, &OFFICE), (15, &BROCHURES), (5, &CUSTOMERS)]);

/// What travellers open.
pub(super) static ON_THE_ROAD: Weighted<&Space> =
    Weighted::new(&[(50, &OFFICE), (25, &CUSTOMERS), (15, &SUPPORT), (10, &BROCHURES)]);

/// What the payroll bureau opens.
pub(super) static OF_BUREAU: Weighted<&Space> = Weighted::new(&[(1, &PAYROLL)]);
