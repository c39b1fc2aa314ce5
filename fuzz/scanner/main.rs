//! Made-up and mutated messages, each read by every kernel of this machine and by the ordinary way, which must say the same.
//! Each message ends at a page that may not be touched, so that reading beyond it ends the run.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/scanner/Cargo.toml -- MESSAGES SEED
//! ```
//!
//! Prints how many times a kernel has read a message; ends at the first disagreement with the message. Under Miri there
//! are no such pages, and only the kernels that it knows:
//! `MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri run --manifest-path fuzz/scanner/Cargo.toml -- 300 1`

#[path = "../../tests/decode/made.rs"]
mod made;
#[path = "../../tests/decode/pushes.rs"]
mod pushes;
#[path = "../../tests/decode/ways.rs"]
mod ways;

use made::{Dice, made};
use ways::Ways;

const SAMPLES: &str = concat!(
    include_str!("../../tests/data/dingtalk/samples.jsonl"),
    include_str!("../../tests/data/dingtalk/samples-push.jsonl")
);

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().expect("a number"));
    let (messages, seed) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(1));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let samples: Vec<&[u8]> = SAMPLES.lines().map(str::as_bytes).collect();
    let (mut ways, mut guard, mut bytes, mut sure) = (Ways::new(), Guard::new(1 << 16), Vec::new(), 0);
    for case in 0..messages {
        made(&mut dice, case, &samples, &mut bytes);
        sure += u64::from(ways.compare(guard.place(&bytes)));
        if (case + 1) % 10_000_000 == 0 {
            println!("{} messages, {} readings by kernels", case + 1, ways.readings);
        }
    }
    let (readings, shaped) = (ways.readings, ways.shaped());
    println!("{messages} messages, {readings} readings by kernels, {sure} messages decided by the fast way");
    println!("{shaped} objects read by a known shape");
}

/// Memory behind which a page lies that may not be touched.
struct Guard {
    #[cfg(not(miri))]
    memory: *mut u8,
    #[cfg(miri)]
    memory: Vec<u8>,
    len: usize,
}

#[cfg(not(miri))]
impl Guard {
    fn new(len: usize) -> Self {
        let page = 4096;
        // SAFETY: a fresh mapping of our own; the page that is taken away lies inside it.
        let memory = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let memory = libc::mmap(std::ptr::null_mut(), len + page, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            assert!(memory != libc::MAP_FAILED, "no memory");
            assert_eq!(libc::mprotect(memory.cast::<u8>().add(len).cast(), page, libc::PROT_NONE), 0);
            memory.cast::<u8>()
        };
        Self { memory, len }
    }

    /// The bytes, so that their end is the end of the memory.
    fn place(&mut self, bytes: &[u8]) -> &[u8] {
        assert!(bytes.len() <= self.len, "longer than the memory");
        // SAFETY: the bytes fit before the end, and the memory is ours until the next call.
        unsafe {
            let from = self.memory.add(self.len - bytes.len());
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), from, bytes.len());
            std::slice::from_raw_parts(from, bytes.len())
        }
    }
}

#[cfg(miri)]
impl Guard {
    fn new(len: usize) -> Self {
        Self { memory: Vec::new(), len }
    }

    fn place(&mut self, bytes: &[u8]) -> &[u8] {
        assert!(bytes.len() <= self.len, "longer than the memory");
        // an allocation of exactly this size, of which Miri knows the end
        self.memory = bytes.to_vec().into_boxed_slice().into_vec();
        &self.memory
    }
}
