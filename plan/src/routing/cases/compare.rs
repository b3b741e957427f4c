//! What is expected of a call beside what became of it.

use super::super::diagnostic::{Diagnostic, Spot};
use super::super::nearest::nearest;
use super::super::source::{Problems, Said};
use super::super::tables::Field;
use super::super::tables::case::ExpectTable;
use super::command::Run;
use super::{Fate, NONE, OrNone, name};

/// One comparison after the other, in the order in which the sample file names them.
pub(super) fn compare(run: &Run<'_>, expect: &ExpectTable, fate: &Fate, problems: &mut Problems) {
    let mut compared = Compared { run, problems };
    compared.name(&expect.line, fate.line.as_deref());
    compared.plain(&expect.refused, fate.refused);
    compared.name(&expect.prompt, fate.hears.first().map(String::as_str));
    compared.list(&expect.hears, &fate.hears);
    compared.name(&expect.flow, fate.flow.as_deref());
    compared.name(&expect.queue, fate.queue.as_deref());
    compared.name(&expect.target, fate.target.as_deref());
    compared.list(&expect.by, &fate.by);
    compared.name(&expect.ticket, fate.ticket.as_deref());
    compared.switch(&expect.survey, fate.survey);
    compared.switch(&expect.recorded, fate.recorded);
    compared.name(&expect.lane, fate.lane.as_deref());
    compared.name(&expect.policy, fate.policy.as_deref());
    compared.plain(&expect.priority, fate.priority);
    compared.plain(&expect.experts, fate.experts);
    compared.name(&expect.meeting, fate.meeting.as_deref());
    compared.switch(&expect.callback, fate.callback);
    compared.plain(&expect.told_wait, fate.told_wait);
}

struct Compared<'c, 'p> {
    run: &'c Run<'c>,
    problems: &'p mut Problems,
}

impl Compared<'_, '_> {
    fn name(&mut self, expected: &Field<String>, found: Option<&str>) {
        let Some(said) = expected else { return };
        let found = found.unwrap_or(NONE);
        if said.value != found {
            let near = nearest(&said.value, [found]).map(str::to_owned);
            self.unmet(&said.spot, &said.value, found).nearest(near.as_deref());
        }
    }

    fn plain<T: ToString>(&mut self, expected: &Field<OrNone<T>>, found: Option<T>) {
        let Some(said) = expected else { return };
        let words = |value: Option<&T>| value.map_or_else(|| NONE.to_owned(), T::to_string);
        let (expected, found) = (words(said.value.0.as_ref()), words(found.as_ref()));
        if expected != found {
            self.unmet(&said.spot, &expected, &found);
        }
    }

    /// What is not done is nothing.
    fn switch(&mut self, expected: &Field<OrNone<bool>>, found: bool) {
        let Some(said) = expected else { return };
        let expected = said.value.0.unwrap_or_default();
        if expected != found {
            self.unmet(&said.spot, &expected.to_string(), &found.to_string());
        }
    }

    fn list(&mut self, expected: &Field<OrNone<Vec<Said<String>>>>, found: &[String]) {
        let Some(said) = expected else { return };
        let items = said.value.0.iter().flatten();
        let expected: Vec<&str> = items.map(|item| item.value.as_str()).collect();
        if expected != found {
            let (expected, found) = (expected.join(", "), found.join(", "));
            self.unmet(&said.spot, &format!("[{expected}]"), &format!("[{found}]"));
        }
    }

    fn unmet(&mut self, spot: &Spot, expected: &str, found: &str) -> &mut Diagnostic {
        let name = name(self.run.case);
        let key = spot.key.rsplit('.').next().unwrap_or_default();
        let command = self.run.command();
        let diagnostic = self.problems.error(
            "E1201",
            spot,
            format!("测试 \"{name}\" 不通过: {key} 应为 {expected}，实际会是 {found}"),
            format!("the test \"{name}\" fails: {key} should be {expected} and would be {found}"),
        );
        diagnostic
            .effect(
                "来电人得到的不是这里写明的结果；方案不会启用",
                "the caller would get something else than what is written here; the plan is not used",
            )
            .remedy(
                format!("用 {command} 看看整个经过，再改正方案或测试"),
                format!("see the whole path with {command}, then correct the plan or the test"),
            )
    }
}
