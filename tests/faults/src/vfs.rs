//! A VFS in front of the system's own (<https://sqlite.org/vfs.html>): asks before every call whether it may happen.
//!
//! The crates that wrap this interface were not taken: `sqlite-plugin` 0.11 needs libclang to build, `sqlite-vfs` 0.2 has
//! not changed since 2022. A registered VFS stays for ever and is used again by the next disk, so that no connection can
//! outlive it.

#![allow(unsafe_code, reason = "SQLite is asked and answered in C")]

use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call that is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// A file is opened, and made where it is not there.
    Open,
    /// Bytes are read.
    Read,
    /// Bytes are written there.
    Write(u64, &'a [u8]),
    /// The file gets this length.
    Truncate(u64),
    /// What was written has to reach the disk.
    Sync,
    /// The file is deleted, durably or not.
    Delete(bool),
    /// A lock is asked for.
    Lock,
    /// A piece of the shared memory is asked for.
    Share,
}

/// Is asked before every call on a file of that name (without its folder): a code of SQLite makes it fail.
pub type Watch = Arc<dyn Fn(&str, Call<'_>) -> Result<(), c_int> + Send + Sync>;

/// A registered VFS.
pub struct Slot {
    /// Its name.
    pub name: String,
    watch: Mutex<Option<Watch>>,
    system: *mut ffi::sqlite3_vfs,
}

// SAFETY: `system` is the system's VFS, which lives as long as the program and may be used by any thread.
unsafe impl Send for Slot {}
// SAFETY: as above; everything else in it is behind a lock.
unsafe impl Sync for Slot {}

/// Those that nobody has.
static FREE: Mutex<(usize, Vec<&'static Slot>)> = Mutex::new((0, Vec::new()));

impl Slot {
    /// A VFS with this watch.
    pub fn take(watch: Watch) -> &'static Self {
        let mut free = lock(&FREE);
        let slot = free.1.pop().unwrap_or_else(|| {
            free.0 += 1;
            register(format!("mailtide-faults-{}", free.0))
        });
        *lock(&slot.watch) = Some(watch);
        slot
    }

    /// Gives it back. What still has it open is no longer watched.
    pub fn give_back(&'static self) {
        *lock(&self.watch) = None;
        lock(&FREE).1.push(self);
    }

    fn ask(&self, name: &str, call: Call<'_>) -> c_int {
        let watch = lock(&self.watch).clone();
        watch.and_then(|watch| watch(name, call).err()).unwrap_or(ffi::SQLITE_OK)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register(name: String) -> &'static Slot {
    // SAFETY: SQLite may be asked for its VFS at any time; it copies nothing of what is registered, and all of it is
    // leaked. The system's methods that stay in the copy do not look at their first argument.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        let c_name = CString::new(name.clone()).unwrap().into_raw();
        let slot: &'static Slot = Box::leak(Box::new(Slot { name, watch: Mutex::default(), system }));
        let mut vfs = std::ptr::read(system);
        vfs.zName = c_name;
        vfs.pNext = std::ptr::null_mut();
        vfs.pAppData = std::ptr::from_ref(slot).cast_mut().cast();
        vfs.szOsFile += c_int::try_from(size_of::<File>()).unwrap();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        let registered = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0);
        assert_eq!(registered, ffi::SQLITE_OK);
        slot
    }
}

/// A file that SQLite has open. The system's own follows it in memory.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    slot: &'static Slot,
    name: *mut String,
}

unsafe fn system(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` is as large as both together, and the size of `File` is a multiple of its alignment.
    unsafe { file.cast::<File>().add(1).cast() }
}

unsafe fn ask(file: *mut ffi::sqlite3_file, call: Call<'_>) -> c_int {
    // SAFETY: SQLite gives a file that `open` has filled in.
    let file = unsafe { &*file.cast::<File>() };
    // SAFETY: the name lives until `close`; none is there for files that have no name.
    let name = unsafe { file.name.as_ref() };
    name.map_or(ffi::SQLITE_OK, |name| file.slot.ask(name, call))
}

/// Calls a method of the system's file.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: the system's file is open as long as this one, and the arguments are SQLite's own.
        unsafe {
            let system = system($file);
            (*(*system).pMethods).$method.map_or(ffi::SQLITE_IOERR, |method| method(system $(, $argument)*))
        }
    }};
}

/// The same, where the watch lets it.
macro_rules! asked {
    ($call:expr, $file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite gives a file that it has opened here.
        match unsafe { ask($file, $call) } {
            ffi::SQLITE_OK => pass!($file, $method $(, $argument)*),
            code => code,
        }
    }};
}

fn file_name(path: &CStr) -> String {
    let path = path.to_string_lossy();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: `pAppData` is the slot; `file` has room for both files; the path is SQLite's until the file is closed.
    unsafe {
        let slot: &'static Slot = &*(*vfs).pAppData.cast::<Slot>();
        (*file).pMethods = std::ptr::null();
        let name = (!path.is_null()).then(|| file_name(CStr::from_ptr(path)));
        let verdict = name.as_deref().map_or(ffi::SQLITE_OK, |name| slot.ask(name, Call::Open));
        if verdict != ffi::SQLITE_OK {
            return verdict;
        }
        let opened = (*slot.system)
            .xOpen
            .map_or(ffi::SQLITE_CANTOPEN, |method| method(slot.system, path, system(file), flags, out));
        if opened == ffi::SQLITE_OK {
            let name = name.map_or(std::ptr::null_mut(), |name| Box::into_raw(Box::new(name)));
            let base = ffi::sqlite3_file { pMethods: &raw const METHODS };
            file.cast::<File>().write(File { base, slot, name });
        }
        opened
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, durable: c_int) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        let slot: &'static Slot = &*(*vfs).pAppData.cast::<Slot>();
        match slot.ask(&file_name(CStr::from_ptr(path)), Call::Delete(durable != 0)) {
            ffi::SQLITE_OK => {
                (*slot.system).xDelete.map_or(ffi::SQLITE_IOERR, |method| method(slot.system, path, durable))
            }
            code => code,
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let closed = pass!(file, xClose);
    // SAFETY: `open` made the name, and nobody uses the file after this.
    unsafe {
        let name = (*file.cast::<File>()).name;
        if !name.is_null() {
            drop(Box::from_raw(name));
        }
    }
    closed
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, bytes: *mut c_void, count: c_int, at: i64) -> c_int {
    asked!(Call::Read, file, xRead, bytes, count, at)
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, count: c_int, at: i64) -> c_int {
    let count_here = usize::try_from(count).unwrap_or_default();
    // SAFETY: SQLite gives so many bytes.
    let given = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count_here) };
    asked!(Call::Write(at.unsigned_abs(), given), file, xWrite, bytes, count, at)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    asked!(Call::Truncate(size.unsigned_abs()), file, xTruncate, size)
}

/// Says so, and does not do it: what a disk would have lost comes from the model.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite gives a file that it has opened here.
    unsafe { ask(file, Call::Sync) }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    asked!(Call::Lock, file, xLock, level)
}

unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    asked!(Call::Share, file, xShmMap, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, at: c_int, count: c_int, flags: c_int) -> c_int {
    if flags & ffi::SQLITE_SHM_LOCK == 0 {
        return pass!(file, xShmLock, at, count, flags);
    }
    asked!(Call::Lock, file, xShmLock, at, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as in `pass`, which is for methods that answer.
    unsafe {
        let system = system(file);
        if let Some(method) = (*(*system).pMethods).xShmBarrier {
            method(system);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
