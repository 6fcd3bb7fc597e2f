//! What the files of `/proc/net/rpc` have in common: rows of numbers, and the methods of NFS 2 (RFC 1094) and 3 (RFC 1813).

use crate::text;

/// The methods of version 2 in order of number, under node_exporter's names.
pub(crate) static V2: &str = "Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename Link SymLink MkDir RmDir ReadDir FsStat";

/// The methods of version 3 in order of number, under node_exporter's names.
pub(crate) static V3: &str = "Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod Remove RmDir Rename Link ReadDir ReadDirPlus FsStat FsInfo PathConf Commit";

/// A row: the line, its name, its numbers.
pub(crate) type Row<'a> = (&'a [u8], &'a [u8], Vec<u64>);

/// `name number…`; an error is the line that is none. Numbers with a fraction, histograms of `th`, end a row.
pub(crate) fn rows(content: &[u8]) -> impl Iterator<Item = Result<Row<'_>, &[u8]>> {
    text::lines(content)
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| {
            let mut words = text::fields(line);
            let name = words.next().ok_or(line)?;
            let numbers = words
                .take_while(|word| !word.contains(&b'.'))
                .map(text::decimal)
                .collect::<Option<Vec<_>>>()
                .ok_or(line)?;
            Ok((line, name, numbers))
        })
}
