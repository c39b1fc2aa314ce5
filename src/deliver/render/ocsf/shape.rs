//! The parts of OCSF 1.8.0 that are used, in its own names. What is absent is left out, as the schema wants it. The type of
//! each field is the schema's; a field that the schema does not know would fail the tests, which hold every event against it.

use serde::Serialize;
use serde_json::Value;

/// Whether a value is left out.
trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for &str {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! present {
    ($($type:ty),+) => { $(impl Absent for $type { fn is_absent(&self) -> bool { false } })+ };
}

present!(bool, u8, u32, i64);

impl<T, const N: usize> Absent for [T; N] {
    fn is_absent(&self) -> bool {
        false
    }
}

macro_rules! shapes {
    ($($name:ident$(<$life:lifetime>)? { $($field:ident: $type:ty),+ $(,)? })+) => {
        $(
            #[derive(Serialize)]
            pub(super) struct $name$(<$life>)? {
                $(#[serde(skip_serializing_if = "Absent::is_absent")] pub(super) $field: $type,)+
            }

            impl$(<$life>)? Absent for $name$(<$life>)? {
                fn is_absent(&self) -> bool {
                    false
                }
            }
        )+
    };
}

shapes! {
    Event<'a> {
        activity_id: u8,
        activity_name: &'static str,
        category_uid: u32,
        category_name: &'static str,
        class_uid: u32,
        class_name: &'static str,
        type_uid: u32,
        type_name: String,
        severity_id: u8,
        severity: &'static str,
        status_id: u8,
        status: &'static str,
        time: i64,
        time_dt: String,
        start_time: i64,
        start_time_dt: String,
        end_time: i64,
        end_time_dt: String,
        timezone_offset: i64,
        message: String,
        count: i64,
        is_alert: bool,
        action_id: u8,
        action: &'static str,
        disposition_id: u8,
        disposition: &'static str,
        confidence_id: u8,
        confidence: &'static str,
        risk_level_id: u8,
        risk_level: &'static str,
        metadata: Metadata<'a>,
        finding_info: FindingInfo<'a>,
        data_security: DataSecurity<'a>,
        policy: Policy<'a>,
        actor: Actor<'a>,
        src_endpoint: Endpoint<'a>,
        dst_endpoint: Endpoint<'a>,
        file: Option<File<'a>>,
        observables: Vec<Observable<'a>>,
        unmapped: Unmapped<'a>,
    }
    Metadata<'a> {
        version: &'static str,
        profiles: [&'static str; 3],
        uid: &'a str,
        correlation_uid: &'a str,
        event_code: &'a str,
        log_name: &'a str,
        log_provider: &'static str,
        logged_time: i64,
        logged_time_dt: String,
        sequence: i64,
        tenant_uid: &'a str,
        labels: Vec<String>,
        product: Product,
    }
    Product {
        name: &'static str,
        uid: &'static str,
        vendor_name: &'static str,
        version: &'static str,
        lang: &'static str,
    }
    FindingInfo<'a> {
        uid: &'a str,
        title: String,
        types: [&'static str; 1],
        created_time: i64,
        created_time_dt: String,
        modified_time: i64,
        modified_time_dt: String,
        first_seen_time: i64,
        first_seen_time_dt: String,
        last_seen_time: i64,
        last_seen_time_dt: String,
        data_sources: [&'static str; 1],
        analytic: Analytic<'a>,
        related_events: Vec<RelatedEvent<'a>>,
        related_events_count: i64,
        src_url: Option<String>,
        tags: Vec<Tag>,
    }
    Analytic<'a> {
        name: String,
        uid: &'a str,
        version: &'static str,
        type_id: u8,
        r#type: &'static str,
    }
    RelatedEvent<'a> {
        uid: &'a str,
        r#type: &'static str,
        created_time: i64,
        created_time_dt: String,
    }
    Tag {
        name: &'static str,
        value: String,
        values: Vec<String>,
    }
    DataSecurity<'a> {
        category_id: u8,
        category: &'static str,
        data_lifecycle_state_id: u8,
        data_lifecycle_state: &'static str,
        detection_system_id: u8,
        detection_system: &'static str,
        policy: Policy<'a>,
    }
    Policy<'a> {
        name: &'static str,
        uid: &'a str,
        is_applied: bool,
    }
    Actor<'a> {
        app_name: &'static str,
        app_uid: &'static str,
        user: Option<User<'a>>,
    }
    User<'a> {
        uid: &'a str,
        name: &'a str,
        type_id: u8,
        r#type: &'static str,
    }
    Endpoint<'a> {
        name: &'static str,
        uid: &'a str,
        ip: Option<&'a str>,
        svc_name: &'static str,
        location: Option<Location<'a>>,
    }
    Location<'a> {
        country: &'a str,
        desc: &'a str,
        provider: &'a str,
    }
    File<'a> {
        name: &'a str,
        ext: Option<&'static str>,
        type_id: u8,
        r#type: &'static str,
    }
    Observable<'a> {
        name: &'static str,
        type_id: u8,
        r#type: &'static str,
        value: &'a str,
    }
    Unmapped<'a> {
        harbourwatch: Own<'a>,
    }
    Own<'a> {
        evidence: String,
        binding: Option<&'a Value>,
        bulk: Option<&'a Value>,
        preview: Option<&'a Value>,
        bytes: Option<&'a Value>,
        origin: Option<&'a Value>,
        origin_source: Option<&'a Value>,
        destination: Option<&'a Value>,
        destination_source: Option<&'a Value>,
        recipient_role: Option<&'a Value>,
        possible: Option<&'a Value>,
        safeguard: Option<&'a Value>,
        failed_condition: Option<&'a Value>,
        policy_rule: Option<&'a Value>,
        categories: Option<&'a Value>,
        item: Option<&'a Value>,
        subjects: Option<&'a Value>,
    }
}

impl Tag {
    pub(super) fn one(name: &'static str, value: String) -> Self {
        Self { name, value, values: Vec::new() }
    }

    pub(super) fn many(name: &'static str, values: Vec<String>) -> Self {
        Self { name, value: String::new(), values }
    }

    /// The schema wants a value or values.
    pub(super) fn is_filled(&self) -> bool {
        !self.value.is_empty() || !self.values.is_empty()
    }
}
