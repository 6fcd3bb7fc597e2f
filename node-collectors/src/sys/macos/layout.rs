//! Compares the offsets that the parsers use with libc's declarations, when this is compiled for a Mac. `struct loadavg`,
//! which libc lacks, is declared here as `<sys/resource.h>` has it.

use std::mem::offset_of;

use crate::macos::layout as ours;

/// `unit` is in how many bytes our constants count.
macro_rules! same {
    (unit $unit:literal, $structure:ident { $($field:ident = $constant:ident),* $(,)? }) => {
        const _: () = {
            $(assert!(offset_of!(libc::$structure, $field) == ours::$structure::$constant * $unit);)*
        };
    };
    ($structure:ident { $($fields:tt)* }) => { same!(unit 1, $structure { $($fields)* }); };
    ($structure:ident { $($fields:tt)* } size $size:ident) => {
        same!(unit 1, $structure { $($fields)* });
        const _: () = assert!(size_of::<libc::$structure>() == ours::$structure::$size);
    };
}

same!(statfs {
    f_bsize = F_BSIZE,
    f_blocks = F_BLOCKS,
    f_bfree = F_BFREE,
    f_bavail = F_BAVAIL,
    f_files = F_FILES,
    f_ffree = F_FFREE,
    f_flags = F_FLAGS,
    f_fstypename = F_FSTYPENAME,
    f_mntonname = F_MNTONNAME,
    f_mntfromname = F_MNTFROMNAME,
} size SIZE);

same!(if_msghdr2 {
    ifm_msglen = IFM_MSGLEN,
    ifm_version = IFM_VERSION,
    ifm_type = IFM_TYPE,
    ifm_addrs = IFM_ADDRS,
    ifm_index = IFM_INDEX,
    ifm_data = IFM_DATA,
} size SIZE);

same!(if_data64 {
    ifi_ipackets = IFI_IPACKETS,
    ifi_ierrors = IFI_IERRORS,
    ifi_opackets = IFI_OPACKETS,
    ifi_oerrors = IFI_OERRORS,
    ifi_collisions = IFI_COLLISIONS,
    ifi_ibytes = IFI_IBYTES,
    ifi_obytes = IFI_OBYTES,
    ifi_imcasts = IFI_IMCASTS,
    ifi_omcasts = IFI_OMCASTS,
    ifi_iqdrops = IFI_IQDROPS,
    ifi_noproto = IFI_NOPROTO,
} size SIZE);

same!(ifmibdata { ifmd_name = IFMD_NAME, ifmd_data = IFMD_DATA } size SIZE);

same!(sockaddr_dl { sdl_len = SDL_LEN, sdl_family = SDL_FAMILY, sdl_nlen = SDL_NLEN, sdl_data = SDL_DATA });

same!(xsw_usage { xsu_total = XSU_TOTAL, xsu_used = XSU_USED } size SIZE);

same!(timeval { tv_sec = TV_SEC, tv_usec = TV_USEC });

same!(unit 4, vm_statistics64 {
    free_count = FREE_COUNT,
    active_count = ACTIVE_COUNT,
    inactive_count = INACTIVE_COUNT,
    wire_count = WIRE_COUNT,
    pageins = PAGEINS,
    pageouts = PAGEOUTS,
    faults = FAULTS,
    purgeable_count = PURGEABLE_COUNT,
    speculative_count = SPECULATIVE_COUNT,
    decompressions = DECOMPRESSIONS,
    compressions = COMPRESSIONS,
    swapins = SWAPINS,
    swapouts = SWAPOUTS,
    compressor_page_count = COMPRESSOR_PAGE_COUNT,
    external_page_count = EXTERNAL_PAGE_COUNT,
    internal_page_count = INTERNAL_PAGE_COUNT,
});

/// `struct loadavg`.
#[repr(C)]
struct LoadAvg {
    ldavg: [u32; 3],
    fscale: libc::c_long,
}

const _: () = {
    let [one, five, fifteen] = ours::loadavg::LDAVG;
    let first = offset_of!(LoadAvg, ldavg);
    assert!(one == first && five == first + 4 && fifteen == first + 8);
    assert!(ours::loadavg::FSCALE == offset_of!(LoadAvg, fscale));
    assert!(size_of::<LoadAvg>() == 24);
};

const _: () = {
    assert!(ours::vm_statistics64::WORDS * 4 == offset_of!(libc::vm_statistics64, swapped_count));
    assert!(ours::CPU_STATE_MAX == libc::CPU_STATE_MAX as usize);
    assert!(libc::CPU_STATE_USER == 0 && libc::CPU_STATE_SYSTEM == 1);
    assert!(libc::CPU_STATE_IDLE == 2 && libc::CPU_STATE_NICE == 3);
    assert!(ours::if_msghdr2::RTM_IFINFO2 as i32 == libc::RTM_IFINFO2);
    assert!(ours::if_msghdr2::RTM_VERSION as i32 == libc::RTM_VERSION);
    assert!(1 << ours::if_msghdr2::RTAX_IFP == libc::RTA_IFP);
    let [net, route, _, _, list, _] = ours::INTERFACE_LIST;
    assert!(net == libc::CTL_NET && route == libc::PF_ROUTE && list == libc::NET_RT_IFLIST2);
    let [net, link, generic, data, index, general] = ours::interface_data(7);
    assert!(net == libc::CTL_NET && link == libc::PF_LINK && generic == libc::NETLINK_GENERIC);
    assert!(data == libc::IFMIB_IFDATA && index == 7 && general == libc::IFDATA_GENERAL);
    let [kern, process, all] = ours::PROCESS_LIST;
    assert!(kern == libc::CTL_KERN && process == libc::KERN_PROC && all == libc::KERN_PROC_ALL);
    assert!(ours::sockaddr_dl::AF_LINK as i32 == libc::AF_LINK);
    assert!(ours::statfs::MNT_RDONLY.cast_signed() == libc::MNT_RDONLY);
};
