//! A progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::Seen;

/// Shows how far the input is done.
pub struct Progress {
    bar: Option<ProgressBar>,
    events: u64,
}

impl Progress {
    /// A bar on standard error if that is a terminal.
    pub fn on_terminal() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{elapsed_precise} [{bar:32}] {percent:>3} %  {msg}";
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            // the template is fixed text; a wrong one falls back to the default look
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, events: 0 }
    }

    /// Takes note of a batch.
    pub fn seen(&mut self, seen: &Seen<'_>) {
        self.events += seen.counts.received;
        let Some(bar) = &self.bar else { return };
        if let Some((done, all)) = seen.progress {
            bar.set_length(all);
            bar.set_position(done);
        }
        bar.set_message(format!("{} events", super::summary::grouped(self.events)));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
