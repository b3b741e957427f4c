//! A plan whose own tests fail: it takes no call, and `hotline explain` shows what it would do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The shipped file with one more test, by a name that a shell would take apart.
struct Plan(PathBuf);

impl Plan {
    fn new(name: &str, test: &str) -> Plan {
        let folder = std::env::temp_dir().join(format!("hotline cases {name} {}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
        let shipped =
            include_str!("../../routing.toml").replace("prompts = \"prompts/prompts.toml\"", &prompts);
        let text = shipped.replace("# ── 工单 Tickets", &format!("{test}\n# ── 工单 Tickets"));
        std::fs::write(folder.join("it's.toml"), text).expect("a file");
        Plan(folder)
    }

    /// What a shell makes of it, in the plan's folder.
    fn shell(&self, command: &str) -> Output {
        let binary = Path::new(env!("CARGO_BIN_EXE_hotline"));
        let path = std::env::join_paths(
            binary
                .parent()
                .map(Path::to_path_buf)
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        Command::new("sh")
            .args(["-c", command])
            .env("PATH", path.expect("a path"))
            .current_dir(&self.0)
            .output()
            .expect("a shell")
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_command_that_a_failing_test_names_runs_and_shows_the_plan_that_fails_it() {
    let plan = Plan::new(
        "remedy",
        "[[test]]\nname = \"旧号\"\nfrom = \"13800000000\"\nto = \"sip:12345@192.0.2.10;user=phone\"\n\
         forwarded_from = [\"12396\"]\nat = 2021-09-01T09:00:00+08:00\nexpect = { line = \"12345\" }\n",
    );
    let checked = plan.shell("hotline check --config \"it's.toml\"");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    let (_, behind) = said.split_once("see the whole path with ").expect("a remedy");
    let (command, _) = behind.split_once(", then correct").expect("its end");
    assert!(command.contains("--config 'it'\\''s.toml'"), "{command}");
    let shown = plan.shell(command);
    let words = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&shown.stderr));
    assert!(words.contains("12396") && words.contains("History-Info"), "{words}");
    let warned = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(warned.contains("tests fail: this plan is not used"), "{warned}");
}

#[test]
fn a_call_is_explained_by_trunks_that_bring_calls_only() {
    let plan = Plan::new("trunks", "");
    let explain = "hotline explain --config \"it's.toml\" --from 13800000000 --to 12345";
    let output = plan.shell(&format!("{explain} --trunk sub-12366"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("there are: carrier\n"), "{said}");
    let output = plan.shell(explain);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("13800000000 → carrier"));
}
