"""Makes calls and says how they went: "yes", or "no" and why: the error's name, or the signal's that ended it.
Every answer is a call that was made, not a setting that was read. `expected` says which answers are right.

    probe.py MOUNTS PEER CALL…    "CALL: answer" a line

MOUNTS: the mount namespace of everybody; PEER: a process of the user.
"""

import ctypes
import errno
import mmap
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x20000, 0x4000000, 0x10000000
# System calls that libc has no function for: x86_64, then aarch64.
MEMFD_SECRET, ADD_KEY, KEYCTL = (447, 447), (248, 217), (250, 219)
SESSION_KEYRING, KEYCTL_SEARCH = -3, 10
KEY = (b"user", b"claudectl-probe")


def checked(outcome):
    """What a function of libc returned, if that is not an error."""
    if outcome < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return outcome


def system_call(numbers, *arguments):
    return checked(LIBC.syscall(numbers[{"x86_64": 0, "aarch64": 1}[os.uname().machine]], *arguments))


def require(condition):
    if not condition:
        raise ValueError("not so")


def write(*path):
    """A new file, or one that stays as it is."""
    path = pathlib.Path(*path)
    if path.is_dir():
        path /= f"probe-{os.getpid()}"
        path.write_text("x")
        path.unlink()
    else:
        os.close(os.open(path, os.O_WRONLY))


def secret_memory():
    descriptor = system_call(MEMFD_SECRET, 0)
    os.ftruncate(descriptor, 4096)
    mmap.mmap(descriptor, 4096)[0:4] = b"test"


def lock_memory():
    checked(LIBC.mlock(ctypes.create_string_buffer(16384), 16384))


def raise_limits():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limits((ctypes.c_ulong * 2)(hard, hard), resource.RLIMIT_NOFILE)


def allow_core_files():
    limits((ctypes.c_ulong * 2)(4096, 4096), resource.RLIMIT_CORE)


def limits(pair, which):
    checked(LIBC.prlimit(0, which, ctypes.byref(pair), None))


def set_user_id_bit():
    path = own_file()
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def open_to_others():
    path = own_file()
    try:
        require(path.stat().st_mode & 0o077)
    finally:
        path.unlink()


def change_an_owner():
    path = own_file()
    try:
        os.chown(path, os.getuid(), -1)
    finally:
        path.unlink()


def own_file():
    path = RUNTIME / "claudectl" / f"probe-{os.getpid()}"
    path.touch()
    return path


def own_namespace(kinds):
    checked(LIBC.unshare(CLONE_NEWUSER | kinds))


def mount():
    own_namespace(CLONE_NEWNS)
    checked(LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None))


def set_host_name():
    own_namespace(CLONE_NEWUTS)
    checked(LIBC.sethostname(b"probe", 5))


def become_root():
    """`cat` of this name belongs to root and has the set-user-id bit; the file is for root alone."""
    require(subprocess.run(["/srv/open/cat", "/srv/open/for-root"], capture_output=True, check=False).returncode == 0)


def call_as_a_32_bit_program():
    """An ELF program of x86-64 that exits with the system call of i386: mov eax, 1; xor ebx, ebx; int 0x80."""
    code = bytes.fromhex("b80100000031dbcd80")
    size = 120 + len(code)
    program = b"\x7fELF\2\1\1" + bytes(9)
    program += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program += struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 4096)
    descriptor = os.memfd_create("program")
    os.write(descriptor, program + code)
    os.execve(descriptor, ["program"], {})


def make_a_control_group():
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    own = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
    path = pathlib.Path("/sys/fs/cgroup", own, "probe")
    path.mkdir()
    path.rmdir()


# A setting of the kernel's belongs to root; on a read-only mount that is not even looked at.
def write_kernel_settings():
    os.close(os.open("/proc/sys/kernel/hostname", os.O_WRONLY | os.O_TRUNC))


# No priority of real-time scheduling: the kernel says so, unless the call is refused before.
def schedule_in_real_time():
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(0))


def leave_a_key():
    system_call(ADD_KEY, *KEY, b"x", 1, SESSION_KEYRING)


HOME = pathlib.Path.home()
RUNTIME = pathlib.Path(os.environ["XDG_RUNTIME_DIR"])
MOUNTS, PEER = sys.argv[1], sys.argv[2]
CALLS = {
    "secret memory": secret_memory,
    "locked memory": lock_memory,
    "watch a process": lambda: os.pidfd_open(int(PEER)),
    "identify a process": lambda: pathlib.Path("/proc", PEER, "stat").read_bytes(),
    "look into a process": lambda: os.readlink(f"/proc/{PEER}/cwd"),
    "raise own limits": raise_limits,
    "allow core files": allow_core_files,
    "AF_UNIX": lambda: socket.socket(socket.AF_UNIX),
    "AF_INET": lambda: socket.socket(socket.AF_INET),
    "AF_INET6": lambda: socket.socket(socket.AF_INET6),
    "AF_NETLINK": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "AF_VSOCK": lambda: socket.socket(socket.AF_VSOCK),
    "new namespace": lambda: own_namespace(0),
    "writable and executable memory": lambda: mmap.mmap(-1, 4096, prot=7),
    "another personality": lambda: checked(LIBC.personality(0x0040000)),
    "set-user-id files": set_user_id_bit,
    "real-time scheduling": schedule_in_real_time,
    "change a priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 5),
    "change an owner": change_an_owner,
    "be traced": lambda: checked(LIBC.ptrace(0, 0, 0, 0)),
    "mount": mount,
    "32-bit system calls": call_as_a_32_bit_program,
    "privileges by exec": become_root,
    "use a capability": lambda: checked(LIBC.unshare(CLONE_NEWUTS)),
    "leave a key": leave_a_key,
    "find the key": lambda: system_call(KEYCTL, KEYCTL_SEARCH, SESSION_KEYRING, *KEY, 0),
    "read how the clock is set": lambda: checked(LIBC.adjtimex(ctypes.create_string_buffer(512))),
    "set the host name": set_host_name,
    "open the kernel log": lambda: write("/dev/kmsg"),
    "list modules": lambda: os.listdir("/usr/lib/modules"),
    "read kernel symbols": lambda: os.close(os.open("/proc/kallsyms", os.O_RDONLY)),
    "write kernel settings": write_kernel_settings,
    "make a control group": make_a_control_group,
    "write the runtime directory": lambda: write(RUNTIME, "claudectl"),
    "write the local record": lambda: write(HOME, ".local/state/claudectl"),
    "write beside the runtime directory": lambda: write(RUNTIME),
    "write the home directory": lambda: write(HOME),
    "write the configuration": lambda: write(HOME, ".config"),
    "write the system": lambda: write("/srv/open"),
    "see the files of others in /tmp": lambda: os.stat("/tmp/marker"),
    "see devices": lambda: os.stat("/dev/marker"),
    "share the mounts of others": lambda: require(os.readlink("/proc/self/ns/mnt") == MOUNTS),
    "files for others": open_to_others,
}


def answer(call):
    """In a child: what a call changes is gone with it, and one that kills is seen."""
    child = os.fork()
    if child == 0:
        try:
            call()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
        except ValueError:
            os._exit(255)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return f"no {signal.Signals(-status).name}"
    return {0: "yes", 255: "no"}.get(status) or f"no {errno.errorcode[status]}"


for name in sys.argv[3:]:
    print(f"{name}: {answer(CALLS[name])}")
