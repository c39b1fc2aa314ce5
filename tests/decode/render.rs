//! Events and legs as lines for people to compare.

use harbourwatch::dingtalk::legs::{End, Movement, plan};
use harbourwatch::domain::event::{Act, Counterpart, Event};

fn counterpart(one: &Counterpart<'_>) -> String {
    let word = if one.member { "member" } else { "receiver" };
    let name = one.name.as_ref().map_or("-", |name| name.reveal());
    let id = one.id.as_ref().map_or("-".into(), |id| id.reveal().to_string());
    format!("{word} {name} id={id} kind={:?} role={:?}", one.kind, one.role)
}

/// One line for each field that has a value.
pub(super) fn event_lines(event: &Event<'_>) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out += &format!("{name}: {value}\n");
        }
    };
    line("shape", Some(event.shape.name().into()));
    line(
        "act",
        Some(match &event.act {
            Act::Audit(code) => code.to_string(),
            Act::Push(name) => name.to_string(),
        }),
    );
    line("tenant", event.tenant.as_ref().map(ToString::to_string));
    line("event_id", event.event_id.as_ref().map(ToString::to_string));
    line("biz_id", event.biz_id.as_ref().map(|id| format!("{id:?}")));
    line("time", event.time.map(|time| time.to_string()));
    line("user_id", event.actor.user_id.as_ref().map(|id| format!("{:?}", id.reveal())));
    line("union_id", event.actor.union_id.as_ref().map(|id| id.reveal().to_string()));
    line("name", event.actor.name.as_ref().map(|name| name.reveal().to_string()));
    line("address", event.address.as_ref().map(|address| address.reveal().to_string()));
    line("org", event.org.as_ref().map(ToString::to_string));
    line("module", event.module.map(|code| code.to_string()));
    line("platform", event.platform.map(|code| code.to_string()));
    line("status", event.status.map(|code| code.to_string()));
    line("resource", event.resource.as_ref().map(|name| name.reveal().to_string()));
    line("extension", event.extension.as_ref().map(ToString::to_string));
    line("size", event.size.map(|size| size.to_string()));
    line("space", event.space.as_ref().map(|id| format!("{id:?}")));
    line("workspace", event.workspace.as_ref().map(|id| format!("{id:?}")));
    line("previous_workspace", event.previous_workspace.as_ref().map(|id| format!("{id:?}")));
    line("url", event.url.as_ref().map(ToString::to_string));
    for one in &event.counterparts {
        line("counterpart", Some(counterpart(one)));
    }
    line("region", event.storage.region.as_ref().map(ToString::to_string));
    event.storage.hosts.iter().for_each(|host| line("host", Some(host.to_string())));
    line("bucket", event.storage.bucket.as_ref().map(ToString::to_string));
    line("app", event.app.as_ref().map(|app| format!("{:?} {:?}", app.code, app.name)));
    line("detail", event.detail.as_ref().map(ToString::to_string));
    line("success", event.success.map(|success| success.to_string()));
    out
}

fn end(end: &End<'_, '_>) -> String {
    match end {
        End::Actor => "actor".into(),
        End::Storage => "storage".into(),
        End::PreviousStorage => "previous storage".into(),
        End::Counterpart(one) => {
            let id = || one.id.as_ref().map_or("-".into(), |id| id.reveal().to_string());
            one.name.as_ref().map_or_else(id, |name| name.reveal().to_string())
        }
        End::Organisation => "the organisation".into(),
        End::App(app) => format!("app {}", app.code.as_ref().map_or("-".into(), ToString::to_string)),
        End::World => "the world".into(),
        End::Unknown => "unknown".into(),
    }
}

/// One line for each leg, or what there is instead.
pub(super) fn leg_lines(event: &Event<'_>) -> String {
    let mut out = String::new();
    let movement = plan(event, &mut |leg| {
        let preview = if leg.preview { " (preview)" } else { "" };
        out += &format!("{}{preview}: {} -> {}\n", leg.kind.name(), end(&leg.origin), end(&leg.destination));
    });
    match movement {
        Movement::Legs => {}
        Movement::Nothing => out += "nothing\n",
        Movement::Unclassified => out += "unclassified\n",
    }
    out
}
