//! `termios`: control of terminals.

use crate::module_parts::{LazyType, int_constants, new_exception};
use crate::posixmodule::path::{Fildes, errno};
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;
use adder_runtime::thread::allow_threads;

fn error_type() -> PyResult<&'static PyTypeObject> {
    static TYPE: LazyType = LazyType::new();
    TYPE.get(|| new_exception("termios", "error", &[exc::Exception.as_object()]))
}

/// Raises `termios.error(errno, text)`.
#[cold]
fn termios_error() -> Raised {
    let number = errno();
    let ty = match error_type() {
        Ok(ty) => ty,
        Err(raised) => return raised,
    };
    let args = PyTupleObject::from_vec(vec![
        PyLongObject::from_i64(i64::from(number)).into_object(),
        PyUnicodeObject::from_string(adder_runtime::exceptions::os_error::strerror(number)).into_object(),
    ]);
    adder_runtime::error::set_object(ty.as_object(), Some(args.as_object()))
}

fn call(f: impl FnOnce() -> c_int) -> PyResult<()> {
    if allow_threads(f) < 0 {
        Err(termios_error())
    } else {
        Ok(())
    }
}

fn int(value: impl Into<i64>) -> Ref {
    PyLongObject::from_i64(value.into()).into_object()
}

fn zeroed_termios() -> libc::termios {
    // SAFETY: plain numbers.
    unsafe { std::mem::zeroed() }
}

fn get_attributes(fd: c_int) -> PyResult<libc::termios> {
    let mut mode = zeroed_termios();
    // SAFETY: a struct of ours.
    call(|| unsafe { libc::tcgetattr(fd, &mut mode) })?;
    Ok(mode)
}

fn flag_of(object: &PyObject) -> PyResult<libc::tcflag_t> {
    Ok(object.index()?.as_u64_mask() as libc::tcflag_t)
}

/// Control of terminals.
#[pymodule(name = "termios")]
pub mod termios {
    use super::*;

    /// The attributes of a terminal: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc].
    #[pyfunction("($module, fd, /)")]
    fn tcgetattr(fd: Fildes) -> PyResult<Ref<PyListObject>> {
        let mode = get_attributes(fd.0)?;
        // SAFETY: a struct of ours.
        let (ispeed, ospeed) = unsafe { (libc::cfgetispeed(&mode), libc::cfgetospeed(&mode)) };
        let is_canonical = mode.c_lflag & libc::ICANON != 0;
        let characters = mode.c_cc.iter().enumerate().map(|(idx, character)| {
            // Without canonical mode these two are numbers.
            if !is_canonical && (idx == libc::VMIN || idx == libc::VTIME) {
                int(*character)
            } else {
                PyBytesObject::from_slice(&[*character]).into_object()
            }
        });
        let characters = PyListObject::from_vec(characters.collect()).into_object();
        Ok(PyListObject::from_vec(vec![
            int(mode.c_iflag),
            int(mode.c_oflag),
            int(mode.c_cflag),
            int(mode.c_lflag),
            int(ispeed),
            int(ospeed),
            characters,
        ]))
    }
    /// Sets the attributes of a terminal.
    #[pyfunction("($module, fd, when, attributes, /)")]
    fn tcsetattr(fd: Fildes, when: i32, attributes: &PyObject) -> PyResult<()> {
        let items = attributes
            .downcast::<PyListObject>()
            .filter(|list| list.len() == 7);
        let Some(items) = items else {
            return Err(raise!(TypeError, "tcsetattr, arg 3: must be 7 element list"));
        };
        let items: Vec<Ref> = items.as_slice().iter().map(|item| item.to_ref()).collect();
        // What the struct has beside the seven stays.
        let mut mode = get_attributes(fd.0)?;
        mode.c_iflag = flag_of(&items[0])?;
        mode.c_oflag = flag_of(&items[1])?;
        mode.c_cflag = flag_of(&items[2])?;
        mode.c_lflag = flag_of(&items[3])?;
        let (ispeed, ospeed) = (flag_of(&items[4])?, flag_of(&items[5])?);
        let characters = items[6]
            .as_object()
            .downcast::<PyListObject>()
            .filter(|list| list.len() == libc::NCCS);
        let Some(characters) = characters else {
            return Err(raise!(
                TypeError,
                "tcsetattr: attributes[6] must be {} element list",
                libc::NCCS
            ));
        };
        let characters: Vec<Ref> = characters.as_slice().iter().map(|item| item.to_ref()).collect();
        for (target, item) in mode.c_cc.iter_mut().zip(&characters) {
            *target = match item
                .as_object()
                .downcast::<PyBytesObject>()
                .map(PyBytesObject::as_bytes)
            {
                Some([character]) => *character,
                _ if PyLongObject::check(item) => item.index()?.as_u64_mask() as u8,
                _ => {
                    return Err(raise!(
                        TypeError,
                        "tcsetattr: elements of attributes must be characters or integers"
                    ));
                }
            };
        }
        // SAFETY: a struct of ours.
        unsafe {
            if libc::cfsetispeed(&mut mode, ispeed) < 0 || libc::cfsetospeed(&mut mode, ospeed) < 0 {
                return Err(termios_error());
            }
        }
        // SAFETY: a struct of ours.
        call(|| unsafe { libc::tcsetattr(fd.0, when, &mode) })
    }
    /// Sends a break.
    #[pyfunction("($module, fd, duration, /)")]
    fn tcsendbreak(fd: Fildes, duration: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::tcsendbreak(fd.0, duration) })
    }
    /// Waits until all output is sent.
    #[pyfunction("($module, fd, /)")]
    fn tcdrain(fd: Fildes) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::tcdrain(fd.0) })
    }
    /// Discards what is queued.
    #[pyfunction("($module, fd, queue, /)")]
    fn tcflush(fd: Fildes, queue: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::tcflush(fd.0, queue) })
    }
    /// Suspends or resumes input or output.
    #[pyfunction("($module, fd, action, /)")]
    fn tcflow(fd: Fildes, action: i32) -> PyResult<()> {
        // SAFETY: a plain system call.
        call(|| unsafe { libc::tcflow(fd.0, action) })
    }
    /// The size of a terminal: (rows, columns).
    #[pyfunction("($module, fd, /)")]
    fn tcgetwinsize(fd: Fildes) -> PyResult<(u16, u16)> {
        // SAFETY: plain numbers.
        let mut size: libc::winsize = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours.
        call(|| unsafe { libc::ioctl(fd.0, libc::TIOCGWINSZ, &mut size) })?;
        Ok((size.ws_row, size.ws_col))
    }
    /// Sets the size of a terminal.
    #[pyfunction("($module, fd, winsize, /)")]
    fn tcsetwinsize(fd: Fildes, winsize: &PyObject) -> PyResult<()> {
        if !winsize.is_sequence() {
            return Err(raise!(
                TypeError,
                "tcsetwinsize, arg 2: must be a two-item sequence"
            ));
        }
        if winsize.sequence_len()? != 2 {
            return Err(raise!(
                TypeError,
                "tcsetwinsize, arg 2: must be a two-item sequence"
            ));
        }
        let number = |idx: isize| -> PyResult<u16> {
            let value = winsize.get_index(idx)?.index()?.as_i64()?;
            u16::try_from(value).map_err(|_| raise!(OverflowError, "winsize value(s) out of range."))
        };
        let (rows, columns) = (number(0)?, number(1)?);
        // SAFETY: plain numbers.
        let mut size: libc::winsize = unsafe { std::mem::zeroed() };
        // SAFETY: a struct of ours. What is no size in characters stays.
        call(|| unsafe { libc::ioctl(fd.0, libc::TIOCGWINSZ, &mut size) })?;
        size.ws_row = rows;
        size.ws_col = columns;
        // SAFETY: a struct of ours.
        call(|| unsafe { libc::ioctl(fd.0, libc::TIOCSWINSZ, &size) })
    }

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        int_constants!(module;
            B0 = 0, B1000000 = 1000000, B110 = 110, B115200 = 115200, B1152000 = 1152000, B1200 = 1200,
            B134 = 134, B14400 = 14400, B150 = 150, B1500000 = 1500000, B1800 = 1800, B19200 = 19200,
            B200 = 200, B2000000 = 2000000, B230400 = 230400, B2400 = 2400, B2500000 = 2500000,
            B28800 = 28800, B300 = 300, B3000000 = 3000000, B3500000 = 3500000, B38400 = 38400,
            B4000000 = 4000000, B460800 = 460800, B4800 = 4800, B50 = 50, B500000 = 500000, B57600 = 57600,
            B576000 = 576000, B600 = 600, B7200 = 7200, B75 = 75, B76800 = 76800, B921600 = 921600,
            B9600 = 9600, BRKINT = 2, BS0 = 0, BS1 = 8192, BSDLY = 8192, CBAUD = 4111, CBAUDEX = 4096,
            CDSUSP = 25, CEOF = 4, CEOL = 0, CEOT = 4, CERASE = 127, CFLUSH = 15, CIBAUD = 269418496,
            CINTR = 3, CKILL = 21, CLNEXT = 22, CLOCAL = 2048, CQUIT = 28, CR0 = 0, CR1 = 512, CR2 = 1024,
            CR3 = 1536, CRDLY = 1536, CREAD = 128, CRPRNT = 18, CRTSCTS = 2147483648, CS5 = 0, CS6 = 16,
            CS7 = 32, CS8 = 48, CSIZE = 48, CSTART = 17, CSTOP = 19, CSTOPB = 64, CSUSP = 26, CWERASE = 23,
            ECHO = 8, ECHOCTL = 512, ECHOE = 16, ECHOK = 32, ECHOKE = 2048, ECHONL = 64, ECHOPRT = 1024,
            EXTA = 19200, EXTB = 38400, EXTPROC = 65536, FF0 = 0, FF1 = 32768, FFDLY = 32768,
            FIOASYNC = 21586, FIOCLEX = 21585, FIONBIO = 21537, FIONCLEX = 21584, FIONREAD = 21531,
            FLUSHO = 4096, HUPCL = 1024, IBSHIFT = 16, ICANON = 2, ICRNL = 256, IEXTEN = 32768, IGNBRK = 1,
            IGNCR = 128, IGNPAR = 4, IMAXBEL = 8192, INLCR = 64, INPCK = 16, IOCSIZE_MASK = 1073676288,
            IOCSIZE_SHIFT = 16, ISIG = 1, ISTRIP = 32, IUCLC = 512, IUTF8 = 16384, IXANY = 2048,
            IXOFF = 4096, IXON = 1024, NCCS = 32, NL0 = 0, NL1 = 256, NLDLY = 256, NOFLSH = 128,
            N_MOUSE = 2, N_PPP = 3, N_SLIP = 1, N_STRIP = 4, N_TTY = 0, OCRNL = 8, OFDEL = 128, OFILL = 64,
            OLCUC = 2, ONLCR = 4, ONLRET = 32, ONOCR = 16, OPOST = 1, PARENB = 256, PARMRK = 8,
            PARODD = 512, PENDIN = 16384, TAB0 = 0, TAB1 = 2048, TAB2 = 4096, TAB3 = 6144, TABDLY = 6144,
            TCFLSH = 21515, TCGETS = 21505, TCIFLUSH = 0, TCIOFF = 2, TCIOFLUSH = 2, TCION = 3,
            TCOFLUSH = 1, TCOOFF = 0, TCOON = 1, TCSADRAIN = 1, TCSAFLUSH = 2, TCSANOW = 0, TCSBRK = 21513,
            TCSBRKP = 21541, TCSETS = 21506, TCSETSF = 21508, TCSETSW = 21507, TCXONC = 21514,
            TIOCCONS = 21533, TIOCEXCL = 21516, TIOCGETD = 21540, TIOCGICOUNT = 21597,
            TIOCGLCKTRMIOS = 21590, TIOCGPGRP = 21519, TIOCGSERIAL = 21534, TIOCGSOFTCAR = 21529,
            TIOCGWINSZ = 21523, TIOCINQ = 21531, TIOCLINUX = 21532, TIOCMBIC = 21527, TIOCMBIS = 21526,
            TIOCMGET = 21525, TIOCMIWAIT = 21596, TIOCMSET = 21528, TIOCM_CAR = 64, TIOCM_CD = 64,
            TIOCM_CTS = 32, TIOCM_DSR = 256, TIOCM_DTR = 2, TIOCM_LE = 1, TIOCM_RI = 128, TIOCM_RNG = 128,
            TIOCM_RTS = 4, TIOCM_SR = 16, TIOCM_ST = 8, TIOCNOTTY = 21538, TIOCNXCL = 21517,
            TIOCOUTQ = 21521, TIOCPKT = 21536, TIOCPKT_DATA = 0, TIOCPKT_DOSTOP = 32, TIOCPKT_FLUSHREAD = 1,
            TIOCPKT_FLUSHWRITE = 2, TIOCPKT_NOSTOP = 16, TIOCPKT_START = 8, TIOCPKT_STOP = 4,
            TIOCSCTTY = 21518, TIOCSERCONFIG = 21587, TIOCSERGETLSR = 21593, TIOCSERGETMULTI = 21594,
            TIOCSERGSTRUCT = 21592, TIOCSERGWILD = 21588, TIOCSERSETMULTI = 21595, TIOCSERSWILD = 21589,
            TIOCSER_TEMT = 1, TIOCSETD = 21539, TIOCSLCKTRMIOS = 21591, TIOCSPGRP = 21520,
            TIOCSSERIAL = 21535, TIOCSSOFTCAR = 21530, TIOCSTI = 21522, TIOCSWINSZ = 21524, TOSTOP = 256,
            VDISCARD = 13, VEOF = 4, VEOL = 11, VEOL2 = 16, VERASE = 2, VINTR = 0, VKILL = 3, VLNEXT = 15,
            VMIN = 6, VQUIT = 1, VREPRINT = 12, VSTART = 8, VSTOP = 9, VSUSP = 10, VSWTC = 7, VSWTCH = 7,
            VT0 = 0, VT1 = 16384, VTDLY = 16384, VTIME = 5, VWERASE = 14, XCASE = 4, XTABS = 6144,
            _POSIX_VDISABLE = 0,
        );
        module.add("error", error_type()?.as_object().to_ref())
    }
}
