//! Where commands that tell something print it.

use std::io::{ErrorKind, Result, Write};

/// Prints text as it is. Whoever reads it may have had enough (`| head`): that ends it, and is no fault.
pub(super) fn print(text: &str) -> Result<()> {
    print_to(&mut std::io::stdout().lock(), text)
}

fn print_to(out: &mut impl Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The same of lines.
pub(super) fn lines(rows: impl IntoIterator<Item = String>) -> Result<()> {
    let text: String = rows.into_iter().map(|row| row + "\n").collect();
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then says this.
    struct Taking(usize, ErrorKind);

    impl Write for Taking {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_has_read_enough_is_no_fault_and_a_full_disk_is_one() {
        let print = |bytes, kind| print_to(&mut Taking(bytes, kind), "12345").map_err(|error| error.kind());
        assert_eq!(print(5, ErrorKind::BrokenPipe), Ok(()));
        assert_eq!(print(3, ErrorKind::BrokenPipe), Ok(()));
        assert_eq!(print(3, ErrorKind::StorageFull), Err(ErrorKind::StorageFull));
    }
}
