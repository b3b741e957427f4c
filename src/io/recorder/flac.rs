//! Recordings as FLAC (RFC 9639): the same samples in half the bytes.
//!
//! Made block by block, so that the longest recording takes no more memory than a short one, and
//! held against its source, decoded by another program than the one that made it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, Stream, StreamInfo};
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

/// Samples of one block, first choice first: the last block of a file must not be too short to code.
const BLOCKS: [u64; 4] = [4_096, 4_064, 4_032, 4_000];
/// The shortest last block.
const LAST_BLOCK_MIN: u64 = 64;
const BITS: usize = 16;

/// Whether to go on; asked once a block.
pub type GoOn<'a> = &'a dyn Fn() -> bool;

type Wav = hound::WavReader<BufReader<File>>;
type Config = Verified<flacenc::config::Encoder>;

/// Writes the sound of `wav` to `to`, which must not be there yet, and makes it last. Fails with
/// `Interrupted` when it is told not to go on, and with `Unsupported` where `wav` is too short.
pub fn compress(wav: &Path, to: &Path, go_on: GoOn<'_>) -> io::Result<()> {
    let source = open(wav)?;
    let total = u64::from(source.duration());
    let fits = |block: &u64| total.is_multiple_of(*block) || total % *block >= LAST_BLOCK_MIN;
    let Some(block) = BLOCKS.into_iter().find(fits).filter(|_| total >= LAST_BLOCK_MIN) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let file = File::options().write(true).create_new(true).open(to)?;
    let mut out = BufWriter::with_capacity(1 << 16, file);
    encode(source, block as usize, &mut out, go_on)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn encode(mut source: Wav, block: usize, out: &mut (impl Write + Seek), go_on: GoOn<'_>) -> io::Result<()> {
    let spec = source.spec();
    let channels = usize::from(spec.channels);
    let config: Config =
        flacenc::config::Encoder::default().into_verified().map_err(|(_, error)| told(error))?;
    let mut info = StreamInfo::new(spec.sample_rate as usize, channels, BITS).map_err(told)?;
    let mut buffer = FrameBuf::with_size(channels, block).map_err(told)?;
    let mut summed = Context::new(BITS, channels);
    let mut sink = ByteSink::new();
    // The head is written once more at the end, when its figures are known.
    head(&info, &mut sink, out)?;
    let mut samples = source.samples::<i16>();
    let mut read = Vec::with_capacity(block * channels);
    for number in 0.. {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        read.clear();
        for sample in samples.by_ref().take(block * channels) {
            read.push(i32::from(sample.map_err(plain)?));
        }
        if read.is_empty() {
            break;
        }
        buffer.fill_interleaved(&read).map_err(told)?;
        summed.fill_interleaved(&read).map_err(told)?;
        let frame = flacenc::encode_fixed_size_frame(&config, &buffer, number, &info).map_err(told)?;
        info.update_frame_info(&frame);
        sink.clear();
        frame.write(&mut sink).map_err(told)?;
        out.write_all(sink.as_slice())?;
    }
    info.set_md5_digest(&summed.md5_digest());
    // Of all blocks but the last (RFC 9639 §8.2).
    info.set_block_sizes(block, block).map_err(told)?;
    out.seek(SeekFrom::Start(0))?;
    head(&info, &mut sink, out)
}

fn head(info: &StreamInfo, sink: &mut ByteSink, out: &mut impl Write) -> io::Result<()> {
    sink.clear();
    let head = Stream::with_stream_info(info.clone());
    head.write(sink).map_err(told)?;
    out.write_all(sink.as_slice())
}

/// Whether both files hold the same samples, every one.
pub fn is_same_sound(wav: &Path, flac: &Path, go_on: GoOn<'_>) -> io::Result<bool> {
    let mut source = open(wav)?;
    let mut copy = match reader(flac) {
        Ok(copy) => copy,
        Err(error) if is_broken(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let (spec, info) = (source.spec(), copy.streaminfo());
    if u32::from(spec.channels) != info.channels
        || spec.sample_rate != info.sample_rate
        || info.samples != Some(u64::from(source.duration()))
    {
        return Ok(false);
    }
    let mut samples = source.samples::<i16>();
    let mut blocks = copy.blocks();
    let mut room = Vec::new();
    loop {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let block = match blocks.read_next_or_eof(room) {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(samples.next().is_none()),
            Err(error) => match plain_flac(error) {
                error if is_broken(&error) => return Ok(false),
                error => return Err(error),
            },
        };
        for at in 0..block.duration() {
            for channel in 0..block.channels() {
                let Some(sample) = samples.next() else { return Ok(false) };
                if block.sample(channel, at) != i32::from(sample.map_err(plain)?) {
                    return Ok(false);
                }
            }
        }
        room = block.into_buffer();
    }
}

/// Samples of each channel, as the file's head says.
pub fn samples_in(flac: impl Read) -> io::Result<u64> {
    reader_of(flac)?.streaminfo().samples.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// All samples, interleaved, and how many channels there are.
pub fn read_in(flac: impl Read) -> io::Result<(Vec<i16>, u16)> {
    let mut reader = reader_of(flac)?;
    let channels = reader.streaminfo().channels as u16;
    let samples = reader.samples().map(|sample| {
        let sample = sample.map_err(io::Error::other)?;
        i16::try_from(sample).map_err(io::Error::other)
    });
    Ok((samples.collect::<io::Result<_>>()?, channels))
}

fn reader(flac: &Path) -> io::Result<claxon::FlacReader<BufReader<File>>> {
    reader_of(File::open(flac)?)
}

fn reader_of<R: Read>(flac: R) -> io::Result<claxon::FlacReader<BufReader<R>>> {
    claxon::FlacReader::new(BufReader::with_capacity(1 << 16, flac)).map_err(plain_flac)
}

fn plain_flac(error: claxon::Error) -> io::Error {
    match error {
        claxon::Error::IoError(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

/// Whether the fault is the file's own: it ends too early, or is none.
fn is_broken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

fn open(wav: &Path) -> io::Result<Wav> {
    let file = BufReader::with_capacity(1 << 16, File::open(wav)?);
    let reader = hound::WavReader::new(file).map_err(plain)?;
    let spec = reader.spec();
    let ours = spec.bits_per_sample == 16 && spec.sample_format == hound::SampleFormat::Int;
    if ours { Ok(reader) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn plain(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// What the encoder says, whose errors stay in their thread.
fn told(error: impl std::fmt::Debug) -> io::Error {
    io::Error::other(format!("{error:?}"))
}
