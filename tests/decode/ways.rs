//! The ordinary way of the decoder, and the fast way by every kernel of this machine.

use harbourwatch::dingtalk::{Decoder, Kernel, Scratch};

/// All ways to read a message.
pub(crate) struct Ways {
    ordinary: Decoder,
    fast: Vec<(Decoder, Scratch)>,
    /// How many times a kernel has read a message.
    pub(crate) readings: u64,
}

impl Ways {
    pub(crate) fn new() -> Self {
        let kernels = Kernel::ALL.into_iter().filter(|kernel| kernel.is_there());
        let decoder = |kernel| Decoder::default().with_kernel(Some(kernel));
        let fast = kernels.map(|kernel| (decoder(kernel), Scratch::default())).collect();
        Self { ordinary: Decoder::default().with_kernel(None), fast, readings: 0 }
    }

    /// Kernels that this machine has.
    pub(crate) fn kernels(&self) -> u64 {
        self.fast.len() as u64
    }

    /// Objects that were read by a shape that was known.
    pub(crate) fn shaped(&self) -> u64 {
        self.fast.iter().map(|(_, scratch)| scratch.shaped()).sum()
    }

    /// Decodes a message by all ways; whether the fast one was sure of it.
    ///
    /// # Panics
    /// If two of them disagree.
    pub(crate) fn compare(&mut self, bytes: &[u8]) -> bool {
        let mut expected = Vec::new();
        self.ordinary.decode(bytes, &mut |_, result| expected.push(result));
        let (mut sure, mut unsure) = (0, 0);
        for (decoder, scratch) in &mut self.fast {
            let kernel = decoder.kernel();
            let count = decoder.decode_with(scratch, bytes, &mut |index, result| {
                let agree = expected.get(index as usize) == Some(&result);
                assert!(agree, "{kernel:?}: {}\n{result:?}\n{expected:?}", String::from_utf8_lossy(bytes));
            });
            assert_eq!(count as usize, expected.len(), "{kernel:?}: {}", String::from_utf8_lossy(bytes));
            *(if scratch.was_fast() { &mut sure } else { &mut unsure }) += 1;
        }
        assert!(
            sure == 0 || unsure == 0,
            "kernels differ in what they are sure of: {}",
            String::from_utf8_lossy(bytes)
        );
        self.readings += self.kernels();
        sure > 0
    }
}
