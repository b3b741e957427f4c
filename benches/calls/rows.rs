//! The figures as they come: told, and kept as lines for the scripts in `tools`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

pub struct Rows(Option<File>);

impl Rows {
    /// Adds to the file of `path`, if one is wanted.
    pub fn new(path: Option<&Path>) -> Rows {
        let open = |path| File::options().create(true).append(true).open(path).expect("a file for the rows");
        Rows(path.map(open))
    }

    /// One figure: of what, in what unit.
    pub fn add(&mut self, what: &str, unit: &str, figure: f64) {
        println!("{what:<20} {figure:>9.3} {unit}");
        if let Some(file) = &mut self.0 {
            writeln!(file, "{what}\t{unit}\t{figure}").expect("room for a line");
        }
    }
}
