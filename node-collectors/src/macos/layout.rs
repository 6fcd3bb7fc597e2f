//! Where the fields of Darwin's structures are, in bytes from the start, for 64-bit Macs (both architectures
//! have the same layout). Where libc declares the structure too, `sys::macos` compares the two when it is compiled.

/// `struct statfs` with 64-bit inodes, `<sys/mount.h>`.
pub(crate) mod statfs {
    pub(crate) const F_BSIZE: usize = 0;
    pub(crate) const F_BLOCKS: usize = 8;
    pub(crate) const F_BFREE: usize = 16;
    pub(crate) const F_BAVAIL: usize = 24;
    pub(crate) const F_FILES: usize = 32;
    pub(crate) const F_FFREE: usize = 40;
    pub(crate) const F_FLAGS: usize = 64;
    pub(crate) const F_FSTYPENAME: usize = 72;
    pub(crate) const F_MNTONNAME: usize = 88;
    pub(crate) const F_MNTFROMNAME: usize = 1112;
    pub(crate) const SIZE: usize = 2168;

    /// Size of `f_fstypename`.
    pub(crate) const TYPE_NAME: usize = 16;
    /// Size of `f_mntonname` and `f_mntfromname`.
    pub(crate) const PATH: usize = 1024;
    /// The flag of a file system that is mounted read-only.
    pub(crate) const MNT_RDONLY: u32 = 1;
}

/// `struct if_msghdr2`, `<net/if.h>`: one interface in the answer to `NET_RT_IFLIST2`.
pub(crate) mod if_msghdr2 {
    pub(crate) const IFM_MSGLEN: usize = 0;
    pub(crate) const IFM_VERSION: usize = 2;
    pub(crate) const IFM_TYPE: usize = 3;
    pub(crate) const IFM_ADDRS: usize = 4;
    pub(crate) const IFM_INDEX: usize = 12;
    pub(crate) const IFM_DATA: usize = 32;
    pub(crate) const SIZE: usize = 160;

    /// The version of routing messages, `<net/route.h>`.
    pub(crate) const RTM_VERSION: u8 = 5;
    /// The type of this message.
    pub(crate) const RTM_IFINFO2: u8 = 0x12;
    /// The place among the addresses, as a bit of `ifm_addrs`, of the one that names the interface: `RTA_IFP`.
    pub(crate) const RTAX_IFP: u32 = 4;
}

/// The `sysctl(3)` path of the list of interfaces, each a `struct if_msghdr2` with its name's address behind it:
/// `CTL_NET`, `PF_ROUTE`, protocol 0, any address family, `NET_RT_IFLIST2`, all interfaces.
pub(crate) const INTERFACE_LIST: [i32; 6] = [4, 17, 0, 0, 6, 0];

/// The `sysctl(3)` path of an interface's `struct ifmibdata`: `CTL_NET`, `PF_LINK`, `NETLINK_GENERIC`,
/// `IFMIB_IFDATA`, the interface's number, `IFDATA_GENERAL`.
pub(crate) const fn interface_data(index: u16) -> [i32; 6] {
    [4, 18, 0, 2, index as i32, 1]
}

/// `struct if_data64`, `<net/if_var.h>`; packed to four bytes.
pub(crate) mod if_data64 {
    pub(crate) const IFI_IPACKETS: usize = 24;
    pub(crate) const IFI_IERRORS: usize = 32;
    pub(crate) const IFI_OPACKETS: usize = 40;
    pub(crate) const IFI_OERRORS: usize = 48;
    pub(crate) const IFI_COLLISIONS: usize = 56;
    pub(crate) const IFI_IBYTES: usize = 64;
    pub(crate) const IFI_OBYTES: usize = 72;
    pub(crate) const IFI_IMCASTS: usize = 80;
    pub(crate) const IFI_OMCASTS: usize = 88;
    pub(crate) const IFI_IQDROPS: usize = 96;
    pub(crate) const IFI_NOPROTO: usize = 104;
    pub(crate) const SIZE: usize = 128;
}

/// `struct ifmibdata`, `<net/if_mib.h>`; packed to four bytes.
pub(crate) mod ifmibdata {
    pub(crate) const IFMD_NAME: usize = 0;
    pub(crate) const IFMD_DATA: usize = 52;
    pub(crate) const SIZE: usize = 180;

    /// Size of `ifmd_name`.
    pub(crate) const NAME: usize = 16;
}

/// `struct sockaddr_dl`, `<net/if_dl.h>`.
pub(crate) mod sockaddr_dl {
    pub(crate) const SDL_LEN: usize = 0;
    pub(crate) const SDL_FAMILY: usize = 1;
    pub(crate) const SDL_NLEN: usize = 5;
    pub(crate) const SDL_DATA: usize = 8;

    /// The family of this address.
    pub(crate) const AF_LINK: u8 = 18;
}

/// `struct xsw_usage`, `<sys/sysctl.h>`.
pub(crate) mod xsw_usage {
    pub(crate) const XSU_TOTAL: usize = 0;
    pub(crate) const XSU_USED: usize = 16;
    pub(crate) const SIZE: usize = 32;
}

/// `struct loadavg`, `<sys/resource.h>`: three fixed-point numbers and their scale, a `long`.
pub(crate) mod loadavg {
    pub(crate) const LDAVG: [usize; 3] = [0, 4, 8];
    pub(crate) const FSCALE: usize = 16;
}

/// `struct timeval`, `<sys/_types/_timeval.h>`.
pub(crate) mod timeval {
    pub(crate) const TV_SEC: usize = 0;
    pub(crate) const TV_USEC: usize = 8;
}

/// `struct vm_statistics64`, `<mach/vm_statistics.h>`, in 32-bit words: page counts are one word, sums two.
pub(crate) mod vm_statistics64 {
    pub(crate) const FREE_COUNT: usize = 0;
    pub(crate) const ACTIVE_COUNT: usize = 1;
    pub(crate) const INACTIVE_COUNT: usize = 2;
    pub(crate) const WIRE_COUNT: usize = 3;
    pub(crate) const PAGEINS: usize = 8;
    pub(crate) const PAGEOUTS: usize = 10;
    pub(crate) const FAULTS: usize = 12;
    pub(crate) const PURGEABLE_COUNT: usize = 22;
    pub(crate) const SPECULATIVE_COUNT: usize = 23;
    pub(crate) const DECOMPRESSIONS: usize = 24;
    pub(crate) const COMPRESSIONS: usize = 26;
    pub(crate) const SWAPINS: usize = 28;
    pub(crate) const SWAPOUTS: usize = 30;
    pub(crate) const COMPRESSOR_PAGE_COUNT: usize = 32;
    pub(crate) const EXTERNAL_PAGE_COUNT: usize = 34;
    pub(crate) const INTERNAL_PAGE_COUNT: usize = 35;
    /// `HOST_VM_INFO64_REV1_COUNT`: the structure since OS X 10.9. Later releases only append to it.
    pub(crate) const WORDS: usize = 38;
}

/// The states of a processor in `PROCESSOR_CPU_LOAD_INFO`, `<mach/machine.h>`: how many there are.
pub(crate) const CPU_STATE_MAX: usize = 4;

/// `struct kinfo_proc`, `<sys/sysctl.h>`: one process in the answer to `KERN_PROC_ALL`.
pub(crate) mod kinfo_proc {
    pub(crate) const KP_PROC_P_STAT: usize = 36;
    pub(crate) const SIZE: usize = 648;
}

/// The `sysctl(3)` path of all processes: `CTL_KERN`, `KERN_PROC`, `KERN_PROC_ALL`.
pub(crate) const PROCESS_LIST: [i32; 3] = [1, 14, 0];

/// `struct tcpstat`, `<netinet/tcp_var.h>`, in 32-bit words.
pub(crate) mod tcpstat {
    pub(crate) const TCPS_CONNATTEMPT: usize = 0;
    pub(crate) const TCPS_ACCEPTS: usize = 1;
    pub(crate) const TCPS_CONNDROPS: usize = 4;
    pub(crate) const TCPS_SNDTOTAL: usize = 15;
    pub(crate) const TCPS_SNDREXMITPACK: usize = 18;
    pub(crate) const TCPS_RCVTOTAL: usize = 25;
    pub(crate) const TCPS_RCVBADSUM: usize = 28;
    pub(crate) const TCPS_RCVBADOFF: usize = 29;
    pub(crate) const TCPS_RCVSHORT: usize = 31;
}

/// `struct udpstat`, `<netinet/udp_var.h>`, in 32-bit words.
pub(crate) mod udpstat {
    pub(crate) const UDPS_IPACKETS: usize = 0;
    pub(crate) const UDPS_HDROPS: usize = 1;
    pub(crate) const UDPS_BADSUM: usize = 2;
    pub(crate) const UDPS_BADLEN: usize = 3;
    pub(crate) const UDPS_NOPORT: usize = 4;
    pub(crate) const UDPS_FULLSOCK: usize = 6;
    pub(crate) const UDPS_OPACKETS: usize = 9;
}
