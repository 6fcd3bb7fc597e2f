//! `gpu`: how busy the graphics processors of a Mac are and what memory they use, from the statistics that their drivers
//! keep in IOKit's registry (`IOAccelerator`). What a driver does not count is left out.

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::bytes::text_at;
use crate::macos::devices::{Entry, Query, Registry};
use crate::macos::property::Property;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "gpu",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Use and memory of graphics processors.",
    sources: &["IOKit IOAccelerator PerformanceStatistics"],
    families: &["node_gpu_*"],
    options: &[],
    build: |_| Ok(Box::new(Gpu { registry: Kernel })),
};

struct Gpu<R> {
    registry: R,
}

const MODEL: &str = "model";
const CORES: &str = "gpu-core-count";
const STATISTICS: &str = "PerformanceStatistics";
const GPUS: Query = Query {
    class: c"IOAccelerator",
    keys: &[MODEL, CORES, STATISTICS],
    parent: None,
};

/// Key of the statistics, end of the family's name, HELP, divisor.
static FIELDS: [(&str, &str, &str, f64); 7] = [
    (
        "Device Utilization %",
        "utilization_ratio",
        "Share of time in which the GPU was busy.",
        100.0,
    ),
    (
        "Renderer Utilization %",
        "renderer_utilization_ratio",
        "Share of time in which the GPU's renderer was busy.",
        100.0,
    ),
    (
        "Tiler Utilization %",
        "tiler_utilization_ratio",
        "Share of time in which the GPU's tiler was busy.",
        100.0,
    ),
    (
        "In use system memory",
        "memory_used_bytes",
        "System memory that the GPU uses.",
        1.0,
    ),
    (
        "Alloc system memory",
        "memory_allocated_bytes",
        "System memory that is set aside for the GPU.",
        1.0,
    ),
    (
        "vramUsedBytes",
        "vram_used_bytes",
        "Memory of the GPU's own that is in use.",
        1.0,
    ),
    (
        "vramFreeBytes",
        "vram_free_bytes",
        "Memory of the GPU's own that is free.",
        1.0,
    ),
];

fn write(number: usize, gpu: &Entry, out: &mut Families) {
    let number = number.to_string();
    // Text on Apple silicon, bytes on Intel.
    let model = match gpu.properties.get(MODEL) {
        Some(Property::Text(model)) => model.clone(),
        Some(Property::Data(model)) => {
            let model = text_at(model, 0, model.len()).unwrap_or_default();
            text::utf8(model).into_owned()
        }
        _ => String::new(),
    };
    let labels = [("driver", &*gpu.name), ("gpu", &*number), ("model", &*model)];
    gauge(out, "node_gpu_info", "Graphics processor.", &labels, 1.0);
    let mut emit = |field: &str, help, value| {
        gauge(
            out,
            &format!("node_gpu_{field}"),
            help,
            &[("gpu", &number)],
            value,
        );
    };
    if let Some(cores) = gpu.properties.number(CORES) {
        emit("cores", "Cores of the GPU.", cores);
    }
    let statistics = gpu.properties.dictionary(STATISTICS);
    for (key, field, help, divisor) in FIELDS {
        if let Some(value) = statistics.and_then(|statistics| statistics.number(key)) {
            emit(field, help, value / divisor);
        }
    }
}

impl<R: Registry> Collector for Gpu<R> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let gpus = self.registry.entries(&GPUS);
        let gpus = gpus.map_err(|error| Error::system("IOServiceGetMatchingServices", error))?;
        for (number, gpu) in gpus.iter().enumerate() {
            write(number, gpu, out);
        }
        Ok(if gpus.is_empty() {
            Outcome::NoData
        } else {
            Outcome::Data
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    #[test]
    fn two_gpus_of_different_kinds() {
        let mac = Recorded::default();
        let statistics = dictionary([
            ("Device Utilization %", Property::Integer(37)),
            ("In use system memory", Property::Integer(6_000_000_000)),
        ]);
        mac.entry(
            "IOAccelerator",
            Entry {
                name: "AGXAcceleratorG13G".into(),
                properties: dictionary([
                    (MODEL, Property::Text("Apple M1".into())),
                    (CORES, Property::Integer(8)),
                    (STATISTICS, Property::Dictionary(statistics)),
                ]),
                ..Entry::default()
            },
        )
        .entry(
            "IOAccelerator",
            Entry {
                name: "AMDRadeonX6000".into(),
                properties: dictionary([(MODEL, Property::Data(b"Radeon Pro\0".to_vec()))]),
                ..Entry::default()
            },
        );
        assert_eq!(
            samples(&Gpu { registry: mac }),
            [
                "node_gpu_cores{gpu=\"0\"} 8",
                "node_gpu_info{driver=\"AGXAcceleratorG13G\",gpu=\"0\",model=\"Apple M1\"} 1",
                "node_gpu_info{driver=\"AMDRadeonX6000\",gpu=\"1\",model=\"Radeon Pro\"} 1",
                "node_gpu_memory_used_bytes{gpu=\"0\"} 6e+09",
                "node_gpu_utilization_ratio{gpu=\"0\"} 0.37",
            ]
        );
    }

    #[test]
    fn none_is_no_data() {
        let registry = Recorded::default();
        let outcome = Gpu { registry }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
    }
}
