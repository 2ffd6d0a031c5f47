//! `_uuid`: identifiers from the time, a sequence number and the hardware's address. Source: RFC 9562, section 5.1.

use adder_runtime::prelude::*;
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// Steps of 100 ns between the start of the Gregorian calendar and that of Unix's time.
const GREGORIAN_OFFSET: u64 = 0x01B2_1DD2_1381_4000;

type Node = [u8; 6];

/// What makes the next identifier another one: the time of the last, and the sequence number that goes with it.
struct Clock {
    last: u64,
    sequence: u16,
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: writes at most N bytes; with fewer, the rest stays zero, which is as good a number as any.
    let _ = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    bytes
}

/// The address of the first network interface that has one.
fn hardware_address() -> Option<Node> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the list is walked as getifaddrs made it, and given back; addresses of that family have that layout.
    unsafe {
        if libc::getifaddrs(&mut list) != 0 {
            return None;
        }
        let mut found = None;
        let mut entry = list;
        while let Some(interface) = entry.as_ref() {
            entry = interface.ifa_next;
            let Some(address) = interface.ifa_addr.as_ref() else { continue };
            if i32::from(address.sa_family) != libc::AF_PACKET {
                continue;
            }
            let address = &*interface.ifa_addr.cast::<libc::sockaddr_ll>();
            let node: Node = std::array::from_fn(|place| address.sll_addr[place]);
            if address.sll_halen == 6 && node != [0; 6] {
                found = Some(node);
                break;
            }
        }
        libc::freeifaddrs(list);
        found
    }
}

/// Without an address: a random number that cannot be one.
fn node() -> Node {
    static NODE: OnceLock<Node> = OnceLock::new();
    *NODE.get_or_init(|| {
        hardware_address().unwrap_or_else(|| {
            let mut node = random::<6>();
            node[0] |= 1;
            node
        })
    })
}

fn generate() -> [u8; 16] {
    static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = (since.as_nanos() / 100) as u64 + GREGORIAN_OFFSET;
    let mut clock = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let clock = clock.get_or_insert_with(|| Clock { last: 0, sequence: u16::from_be_bytes(random()) });
    let time = match now {
        now if now > clock.last => now,
        // The clock's steps are longer than ours.
        now if clock.last - now < 10_000 => clock.last + 1,
        now => {
            clock.sequence = clock.sequence.wrapping_add(1);
            now
        }
    };
    clock.last = time;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(time as u32).to_be_bytes());
    bytes[4..6].copy_from_slice(&((time >> 32) as u16).to_be_bytes());
    bytes[6..8].copy_from_slice(&((time >> 48) as u16 & 0x0FFF | 0x1000).to_be_bytes());
    bytes[8..10].copy_from_slice(&(clock.sequence & 0x3FFF | 0x8000).to_be_bytes());
    bytes[10..].copy_from_slice(&node());
    bytes
}

#[pymodule(name = "_uuid", types = [])]
pub mod _uuid {
    use super::*;

    #[pyconst]
    const has_uuid_generate_time_safe: i32 = 1;
    #[pyconst]
    const has_stable_extractable_node: i32 = 0;

    /// The bytes of an identifier, and -1: other processes may make the same one.
    #[pyfunction("($module, /)")]
    fn generate_time_safe() -> (Ref<PyBytesObject>, i32) {
        (PyBytesObject::from_slice(&super::generate()), -1)
    }
}
