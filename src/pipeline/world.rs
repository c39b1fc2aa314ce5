//! One generation of everything that a verdict depends on beside the event: decoder, databases, policy, the operator's
//! maps. Built whole, never changed; a reload makes a new one and the pipeline takes it up between two batches.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::dingtalk::Decoder;
use crate::domain::estate::Estate;
use crate::domain::event::Id;
use crate::domain::map::Map;
use crate::domain::party::{AppId, TenantId};
use crate::domain::policy::Policy;
use crate::domain::sensitive::NamePatterns;
use crate::domain::verdict::Verdict;
use crate::geo::Geo;

/// A generation. Look-ups in it allocate nothing.
pub struct World {
    /// Bytes → events.
    pub decoder: Decoder,
    /// Addresses, hosts, regions → places.
    pub geo: Geo,
    /// Rules, register, inventory.
    pub policy: Policy,
    /// Directory and space map.
    pub estate: Estate,
    /// File names that suggest categories of data.
    pub patterns: NamePatterns,
    /// No two worlds of a process have the same; what is remembered of one is of no use in another.
    generation: u64,
    recorded: [bool; Verdict::ALL.len()],
    tells: bool,
    tenants: Map<String, TenantId>,
    unnamed: Option<TenantId>,
    apps: Map<Id<'static>, AppId>,
}

impl World {
    /// Puts a generation together. `recorded`: verdicts whose events become evidence records. An event that names no
    /// tenant is the only tenant's, if there is but one.
    pub fn new(
        decoder: Decoder,
        geo: Geo,
        policy: Policy,
        estate: Estate,
        patterns: NamePatterns,
        recorded: &[Verdict],
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let generation = NEXT.fetch_add(1, Ordering::Relaxed);
        let unnamed = (policy.tenants.len() == 1).then_some(TenantId(0));
        let tenants = (0u16..).zip(&policy.tenants).map(|(i, tenant)| (tenant.id.clone(), TenantId(i))).collect();
        let code = |text: &str| Id::from_text(text.to_owned().into());
        let apps = (0u16..).zip(&policy.apps).map(|(i, app)| (code(&app.code), AppId(i))).collect();
        let recorded = Verdict::ALL.map(|verdict| recorded.contains(&verdict));
        Self { decoder, geo, policy, estate, patterns, generation, recorded, tells: false, tenants, unnamed, apps }
    }

    /// The same, where an event that names no tenant is the one of this corp id.
    #[must_use]
    pub fn assuming(mut self, tenant: Option<&str>) -> Self {
        self.unnamed = tenant.map_or(self.unnamed, |id| self.tenants.get(id).copied());
        self
    }

    /// The same, where stream users are told of every judged event or not; without this they are not.
    #[must_use]
    pub fn telling(mut self, tells: bool) -> Self {
        self.tells = tells;
        self
    }

    /// Whether stream users are told of every judged event.
    #[inline]
    pub fn tells(&self) -> bool {
        self.tells
    }

    /// The number of this generation in the process.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether events with this verdict become evidence records.
    #[inline]
    pub fn is_recorded(&self, verdict: Verdict) -> bool {
        self.recorded[verdict as usize]
    }

    /// The tenant, and whether its settings may be relied on. Audit rows carry no corp id (`ListAuditLog`), so the
    /// collector or the configuration has to name it. An event of which it is not known, or whose tenant is not
    /// configured, is judged by the first tenant's register, yet nothing is taken from that tenant's settings about
    /// storage and staff.
    #[inline]
    pub fn tenant(&self, id: Option<&str>) -> (TenantId, bool) {
        let known = id.map_or(self.unnamed, |id| self.tenants.get(id).copied());
        known.map_or((TenantId(0), false), |tenant| (tenant, true))
    }

    /// The reviewed app with this code.
    pub fn app<'a>(&'a self, code: &Id<'a>) -> Option<AppId> {
        // a map of longer-lived keys serves as one of shorter-lived ones, so that a borrowed code needs no copy
        let apps: &'a Map<Id<'a>, AppId> = &self.apps;
        apps.get(code).copied()
    }
}
