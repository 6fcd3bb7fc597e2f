//! Unpacks a ustar archive: files, folders, symbolic links and GNU long names.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

const BLOCK: usize = 512;

/// Unpacks `archive` below `target`.
pub(crate) fn unpack(archive: &[u8], target: &Path) -> io::Result<()> {
    let mut rest = archive;
    let (mut long_name, mut long_link) = (None, None);
    while let Some((header, after)) = rest.split_at_checked(BLOCK) {
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let size = octal(&header[124..136]);
        let (content, after) = after.split_at_checked(size).ok_or(io::ErrorKind::UnexpectedEof)?;
        rest = after
            .get(size.next_multiple_of(BLOCK) - size..)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let kind = header[156];
        match kind {
            b'L' => long_name = Some(text(content)),
            b'K' => long_link = Some(text(content)),
            _ => {
                let (prefix, name) = (text(&header[345..500]), text(&header[..100]));
                let name = if prefix.is_empty() {
                    name
                } else {
                    format!("{prefix}/{name}")
                };
                let path = target.join(long_name.take().unwrap_or(name));
                let link = long_link.take().unwrap_or_else(|| text(&header[157..257]));
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                match kind {
                    b'5' => std::fs::create_dir_all(path)?,
                    b'2' => symlink(link, path)?,
                    b'0' | 0 => std::fs::write(path, content)?,
                    other => panic!("entry type {other} in the archive"),
                }
            }
        }
    }
    Ok(())
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8(field[..end].to_vec()).unwrap()
}

fn octal(field: &[u8]) -> usize {
    usize::from_str_radix(text(field).trim(), 8).unwrap()
}
