//! `launchd`: services of a Mac's service manager and how they ended, as `launchctl list` prints them: those of the
//! system if the program runs as root, else those of the user. It is to macOS what `systemd` is to Linux.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::{Error, ErrorKind};
use crate::filter::Filter;
use crate::macos::devices::Services;
use crate::option::options;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "launchd",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Services of launchd and how they ended.",
    sources: &["launchctl list"],
    families: &["node_launchd_*"],
    options: options! {
        "launchd.service-include" = launchd.service_include: String, "Services to give (expression).";
        "launchd.service-exclude" = launchd.service_exclude: String, "Services to leave out (expression).";
    },
    build: |context| Ok(Box::new(Launchd::new(Kernel, context)?)),
};

/// Options of `launchd`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for services to give; empty gives all that are not left out.
    pub service_include: String,
    /// Expression for services to leave out; by default Apple's own and running applications.
    pub service_exclude: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            service_include: String::new(),
            service_exclude: r"^(com\.apple\.|application\.|\[0x)".to_owned(),
        }
    }
}

struct Launchd<S> {
    services: S,
    filter: Filter,
}

impl<S: Services> Launchd<S> {
    fn new(services: S, context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.launchd;
        Ok(Self {
            services,
            filter: Filter::new(
                ("launchd.service-include", &options.service_include),
                ("launchd.service-exclude", &options.service_exclude),
            )?,
        })
    }
}

/// One line of the list.
#[derive(Debug, PartialEq)]
struct Service {
    label: String,
    running: bool,
    /// Exit status; negative is the signal that ended it.
    status: i64,
}

/// `PID`, `Status` and `Label` with tabs between them; `-` for a process that does not run. `None` for another line.
fn parse(line: &[u8]) -> Option<Service> {
    let mut columns = line.splitn(3, |byte| *byte == b'\t');
    let (pid, status, label) = (columns.next()?, columns.next()?, columns.next()?);
    let number = |column: &[u8]| std::str::from_utf8(column).ok()?.trim().parse::<i64>().ok();
    let running = match pid.trim_ascii() {
        b"-" => false,
        pid => number(pid)? > 0,
    };
    Some(Service {
        label: text::utf8(label).into_owned(),
        running,
        status: match status.trim_ascii() {
            b"-" => 0,
            status => number(status)?,
        },
    })
}

impl<S: Services> Collector for Launchd<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut list = Vec::new();
        let listed = self.services.list(&mut list);
        listed.map_err(|error| Error::system("launchctl list", error))?;
        let mut services: Vec<Service> = text::lines(&list).filter_map(parse).collect();
        if services.is_empty() {
            let message = format!("launchctl list: no service in {} bytes", list.len());
            return Err(Error::new(ErrorKind::Parse, message));
        }
        services.sort_by(|one, other| one.label.cmp(&other.label));
        services.dedup_by(|one, other| one.label == other.label);
        let running = services.iter().filter(|service| service.running).count();
        let failed = services.iter().filter(|service| service.status != 0).count();
        for (state, count) in [
            ("failed", failed),
            ("loaded", services.len()),
            ("running", running),
        ] {
            let help = "Services by state; one may be in several.";
            let labels = [("state", state)];
            gauge(out, "node_launchd_services", help, &labels, count as f64);
        }
        services.retain(|service| self.filter.keeps(&service.label));
        let mut family = out.family(
            "node_launchd_service_running",
            "Whether the service has a process.",
            MetricKind::Gauge,
        );
        for service in &services {
            let running = f64::from(u8::from(service.running));
            family.sample(&[("service", &service.label)], running);
        }
        let mut family = out.family(
            "node_launchd_service_last_exit_status",
            "How the service's last process ended; negative for the signal that ended it.",
            MetricKind::Gauge,
        );
        for service in &services {
            family.sample(&[("service", &service.label)], service.status as f64);
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Platform;
    use crate::macos::recorded::Recorded;
    use crate::roots::Roots;
    use crate::testing::{never_panics, samples};

    const LIST: &str = "PID\tStatus\tLabel\n-\t0\tcom.apple.SafariHistory\n431\t0\torg.example.agent\n\
                        -\t-9\torg.example.killed\n-\t78\torg.example.broken\n";

    fn launchd(list: &str, include: &str) -> Launchd<Recorded> {
        let mac = Recorded::default();
        mac.services(list);
        let mut options = crate::collectors::Options::default();
        options.launchd.service_include = include.to_owned();
        let roots = Roots::default();
        let context = Context {
            platform: Platform::MacOs,
            roots: &roots,
            options: &options,
            mode: crate::mode::Mode::Fixed,
            enabled: &|_| true,
        };
        Launchd::new(mac, &context).unwrap()
    }

    #[test]
    fn services_and_how_they_ended() {
        assert_eq!(
            samples(&launchd(LIST, "")),
            [
                "node_launchd_service_last_exit_status{service=\"org.example.agent\"} 0",
                "node_launchd_service_last_exit_status{service=\"org.example.broken\"} 78",
                "node_launchd_service_last_exit_status{service=\"org.example.killed\"} -9",
                "node_launchd_service_running{service=\"org.example.agent\"} 1",
                "node_launchd_service_running{service=\"org.example.broken\"} 0",
                "node_launchd_service_running{service=\"org.example.killed\"} 0",
                "node_launchd_services{state=\"failed\"} 2",
                "node_launchd_services{state=\"loaded\"} 4",
                "node_launchd_services{state=\"running\"} 1",
            ]
        );
        assert_eq!(samples(&launchd(LIST, "killed$")).len(), 5);
    }

    #[test]
    fn a_list_without_services_is_an_error() {
        for list in ["", "PID\tStatus\tLabel\n", "nonsense\n"] {
            assert!(
                launchd(list, "").update(&mut Families::new()).is_err(),
                "{list:?}"
            );
        }
        never_panics("431\t0\torg.example.agent", parse);
    }
}
