//! Switches for what the scripted server does wrong.

/// What the server does wrong; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Ends the connection once so many bytes have been written, over all connections. Happens once.
    pub cut: Option<u64>,
    /// Ends it with a reset.
    pub reset: bool,
    /// Refuses one command.
    pub refuse: Option<Refusal>,
    /// Capabilities that it lacks.
    pub lacks: Vec<&'static str>,
    /// Lines end with LF alone.
    pub bare_lf: bool,
    /// NULs before each line.
    pub nul_padding: bool,
    /// Each byte is a segment of its own.
    pub drip: bool,
    /// Sends the whole section whatever stretch is asked for.
    pub ignores_partials: bool,
    /// Rows of these UIDs are left out, as often as the number says.
    pub drops: Option<(u32, usize)>,
    /// The row of this UID is no IMAP.
    pub malforms: Option<u32>,
    /// FETCH data of this UID comes after the tagged OK.
    pub late: Option<u32>,
    /// Expunges the message with this UID while rows of another FETCH are on their way.
    pub expunges: Option<u32>,
    /// Tells of flags that nobody asked for, between any two rows.
    pub chatters: bool,
    /// Gives another UIDVALIDITY at the next SELECT after the first.
    pub renumbers: bool,
    /// What happens to IDLE.
    pub idle: Idle,
    /// What stands where the untagged data of this command should.
    pub before: Option<(&'static str, Vec<u8>)>,
    /// What stands where an answer to this command should.
    pub instead: Option<(&'static str, Vec<u8>)>,
}

/// What the server does with IDLE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// As it should.
    #[default]
    Works,
    /// Offers it and answers NO.
    Refused,
    /// Ends it by itself, with an OK before DONE.
    EndsItself,
}

/// One command to refuse.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub which: Which,
    pub how: How,
}

/// Which command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The nth over all connections, from 0.
    Nth(usize),
    /// The first of this name.
    Named(&'static str),
}

/// How a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    No,
    Bad,
    /// BYE and the end of the connection, without an answer.
    Bye,
    /// All that was asked for, and then NO.
    NoAfterData,
}

impl How {
    pub const ALL: [How; 4] = [How::No, How::Bad, How::Bye, How::NoAfterData];
}
