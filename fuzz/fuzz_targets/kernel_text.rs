//! Any bytes as files of procfs, sysfs and the like, read by one of the collectors of Linux in both modes: it ends, and what it says
//! is text that the parser of scrapes reads to its end, with as many series as were written.
//!
//! The input is the collector's name on a line, and then files one behind the other with a zero byte between them, each with its
//! path on a line before it.

#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, text};
use libfuzzer_sys::fuzz_target;
use node_collectors::{ErrorKind, Mode, NodeCollectors, Roots, State, Support};
use scrape::parse::{Entry, TextParser};

/// These ask the network or the kernel, not files.
const WITHOUT_FILES: [&str; 8] = [
    "network_route",
    "ntp",
    "qdisc",
    "supervisord",
    "tcpstat",
    "timex",
    "uname",
    "wifi",
];

/// The longest path, in parts.
const DEEPEST: usize = 10;

thread_local! {
    static TREE: Tree = Tree::new();
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Ok(name) = std::str::from_utf8(&data[..end]) else {
        return;
    };
    TREE.with(|tree| {
        let known = node_collectors::registry().iter().any(|known| {
            known.name == name && known.linux != Support::Absent && !WITHOUT_FILES.contains(&name)
        });
        if known {
            let files = data[end + 1..].split(|byte| *byte == 0);
            let written: Vec<PathBuf> = files.filter_map(|file| tree.write(file)).collect();
            for compat in [false, true] {
                tree.collect(name, compat);
            }
            tree.clear(&written);
        }
    });
});

/// The files of an input, and the collectors that read them.
struct Tree {
    folder: PathBuf,
    sets: RefCell<HashMap<(String, bool), NodeCollectors>>,
}

impl Tree {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = parent.join(format!("kernel_text-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the files");
        Self {
            folder,
            sets: RefCell::default(),
        }
    }

    /// Writes one file, if its path stays in the tree.
    fn write(&self, file: &[u8]) -> Option<PathBuf> {
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let path = std::str::from_utf8(&file[..end]).ok()?;
        let is_plain = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:@".contains(&byte);
            (1..64).contains(&part.len()) && !matches!(part, "." | "..") && part.bytes().all(plain)
        };
        if path.split('/').count() > DEEPEST || !path.split('/').all(is_plain) {
            return None;
        }
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent()?).ok()?;
        fs::write(&path, &file[end + 1..]).ok()?;
        Some(path)
    }

    fn collect(&self, name: &str, compat: bool) {
        let mut sets = self.sets.borrow_mut();
        // `dmi` reads as it is made.
        if name == "dmi" {
            sets.clear();
        }
        let set = sets.entry((name.to_owned(), compat)).or_insert_with(|| {
            let mode = if compat { Mode::Compat } else { Mode::Fixed };
            let root = |path: &str| self.folder.join(path);
            NodeCollectors::builder()
                .mode(mode)
                .roots(Roots {
                    proc: root("proc"),
                    sys: root("sys"),
                    rootfs: root("root"),
                    udev: root("udev"),
                })
                .configure(|options| {
                    options.textfile.directories = vec![root("textfile").to_string_lossy().into_owned()];
                })
                .only([name])
                .build()
                .expect("options of its own")
        });
        let mut families = Families::new();
        let report = set.collect(&mut families);
        for status in report.statuses() {
            if let State::Failed(error) = &status.state {
                assert!(error.kind() != ErrorKind::Panic, "{error}");
            }
        }
        let mut body = Vec::new();
        text::write(&families, &mut body);
        let lines = body.split(|byte| *byte == b'\n');
        let written = lines.filter(|line| !line.is_empty() && line[0] != b'#').count();
        let mut parser = TextParser::new(&body);
        let mut read = 0;
        while let Some(entry) = parser.next_entry().unwrap_or_else(|error| {
            panic!("{error} in {}", String::from_utf8_lossy(&body));
        }) {
            read += usize::from(matches!(entry, Entry::Sample(_)));
        }
        assert_eq!(read, written);
    }

    /// Removes the files and the folders that they were in.
    fn clear(&self, written: &[PathBuf]) {
        for path in written {
            // One may have been written twice.
            let _ = fs::remove_file(path);
            for folder in path.ancestors().skip(1) {
                if folder == self.folder || fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
