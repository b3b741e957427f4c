//! The kinds of things that a plan has, in the order in which changes are told.

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Purpose,
    City,
    Network,
    Tls,
    Limits,
    Recording,
    RecordingClass,
    Trace,
    Security,
    Admin,
    SeatGreeting,
    Survey,
    Transition,
    Reload,
    HumanFirst,
    Trunk,
    Group,
    Queue,
    Seat,
    Number,
    Meeting,
    Emergency,
    Experts,
    Department,
    Platform,
    ThreeWay,
    Work,
    Callers,
    Lane,
    Policy,
    Disposition,
    Kpi,
    KpiLine,
    Missed,
    FollowUp,
    Calling,
    Flow,
    LookUp,
    Bot,
    Kb,
    Article,
    Calendar,
    Token,
    Sink,
    /// A department that is told of its calls.
    Feed,
    Prompt,
}

impl Kind {
    /// 中文 and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Purpose => ("用途", "purpose"),
            Kind::City => ("城市", "city"),
            Kind::Network => ("网络", "network"),
            Kind::Tls => ("证书", "certificates"),
            Kind::Limits => ("限额", "limits"),
            Kind::Recording => ("录音", "recording"),
            Kind::RecordingClass => ("录音类别", "recording class"),
            Kind::Trace => ("信令保存", "trace"),
            Kind::Security => ("安全限制", "security"),
            Kind::Admin => ("管理接口", "administration"),
            Kind::SeatGreeting => ("工号播报", "seat greeting"),
            Kind::Survey => ("评价", "survey"),
            Kind::Transition => ("过渡期", "transition"),
            Kind::Reload => ("重载", "reload"),
            Kind::HumanFirst => ("人工优先", "human first"),
            Kind::Trunk => ("中继", "trunk"),
            Kind::Group => ("中继组", "trunk group"),
            Kind::Queue => ("队列", "queue"),
            Kind::Seat => ("座席", "seat"),
            Kind::Number => ("号码", "number"),
            Kind::Meeting => ("会议室", "meeting"),
            Kind::Emergency => ("紧急热线", "emergency number"),
            Kind::Experts => ("专家组", "expert group"),
            Kind::Department => ("部门", "department"),
            Kind::Platform => ("平台", "platform"),
            Kind::ThreeWay => ("请第三方", "three-way calls"),
            Kind::Work => ("座席作息", "work"),
            Kind::Callers => ("来电人", "callers"),
            Kind::Lane => ("通道", "lane"),
            Kind::Policy => ("来电人规则", "caller policy"),
            Kind::Disposition => ("诉求分类", "disposition"),
            Kind::Kpi => ("考核口径", "key figures"),
            Kind::KpiLine => ("号码的考核口径", "key figures of"),
            Kind::Missed => ("漏接清单", "missed calls"),
            Kind::FollowUp => ("回访", "follow-up"),
            Kind::Calling => ("外呼", "calling"),
            Kind::Flow => ("自助流程", "flow"),
            Kind::LookUp => ("查询", "look-up"),
            Kind::Bot => ("语音机器人", "bot"),
            Kind::Kb => ("知识库", "knowledge base"),
            Kind::Article => ("知识条目", "article"),
            Kind::Calendar => ("日历", "calendar"),
            Kind::Token => ("接口令牌", "API token"),
            Kind::Sink => ("工单去处", "ticket sink"),
            Kind::Feed => ("推送", "feed"),
            Kind::Prompt => ("提示音", "prompt"),
        }
    }

    /// What becomes of calls under way when one is gone.
    pub fn after_removal(self) -> (&'static str, &'static str) {
        match self {
            Kind::Queue => (
                "（按旧方案进行的来电仍可排入；由原来的座席和新方案中该号码所属队列的座席接听，都没有时按无座席规则登记工单；预约回拨转到其他可预约的队列）",
                " (calls under way may still come to it; its seats take them, and those of the queue that the new plan \
                 gives their number; without either, a ticket by its rule for no seats; kept call-backs go to another \
                 queue that keeps them)",
            ),
            Kind::Seat => ("（通话中的说完为止）", " (a clerk who talks does so to the end)"),
            Kind::Number => {
                ("（通话中的不受影响，再来电 404 拒绝）", " (calls under way go on, new ones get 404)")
            }
            _ => ("", ""),
        }
    }
}
