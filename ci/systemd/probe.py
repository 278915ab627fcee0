"""Runs with the restrictions of claudectld.service and says what they allow: one "NAME: yes" or
"NAME: no (why)" a line. Every line is a call that was made, not a setting that was read.

    probe.py MARKER PEER    MARKER: a file name in /tmp and /dev outside; PEER: a process of the user
"""

import ctypes
import mmap
import os
import pathlib
import resource
import socket
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
# x86_64, then aarch64.
NUMBERS = {
    "memfd_secret": (447, 447),
    "pidfd_open": (434, 434),
    "unshare": (272, 97),
    "personality": (135, 92),
    "ptrace": (101, 117),
    "mount": (165, 40),
    "settimeofday": (164, 170),
    "sethostname": (170, 161),
    "init_module": (175, 105),
    "syslog": (103, 116),
    "bpf": (321, 280),
    "sched_setscheduler": (144, 119),
    "setpriority": (141, 140),
    "reboot": (169, 142),
}
PER_MACHINE = {"x86_64": 0, "aarch64": 1}[os.uname().machine]


def call(name, *arguments):
    ctypes.set_errno(0)
    outcome = LIBC.syscall(NUMBERS[name][PER_MACHINE], *arguments)
    if outcome < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return outcome


def report(name, attempt):
    try:
        attempt()
    except (OSError, ValueError) as error:
        print(f"{name}: no ({error})")
    else:
        print(f"{name}: yes")


def require(condition):
    if not condition:
        raise ValueError("not so")


def write(path):
    pathlib.Path(path).write_text("x")


def secret_memory():
    descriptor = call("memfd_secret", 0)
    os.ftruncate(descriptor, 4096)
    mmap.mmap(descriptor, 4096)[0:4] = b"test"


def new_namespace():
    """In a child, because what follows would be different in one."""
    child = os.fork()
    if child == 0:
        try:
            call("unshare", 0x10000000)  # CLONE_NEWUSER
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    error = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if error:
        raise OSError(error, os.strerror(error))


def set_user_id_bit():
    path = pathlib.Path(os.environ["XDG_RUNTIME_DIR"], "claudectl", "probe")
    path.write_text("x")
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def status(field):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))


def main(marker, peer):
    runtime = os.environ["XDG_RUNTIME_DIR"]
    home = pathlib.Path.home()
    # What the daemon needs.
    report("secret memory", secret_memory)
    report("locked memory", lambda: require(LIBC.mlock(ctypes.create_string_buffer(16384), 16384) == 0))
    report("watch a process", lambda: os.close(call("pidfd_open", int(peer), 0)))
    report("identify a process", lambda: pathlib.Path(f"/proc/{peer}/stat").read_bytes())
    report("read where a process is", lambda: os.readlink(f"/proc/{peer}/cwd"))
    report("raise own limits", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2))
    report("write the runtime directory", lambda: (write(f"{runtime}/claudectl/probe"), os.unlink(f"{runtime}/claudectl/probe")))
    report("AF_UNIX", lambda: socket.socket(socket.AF_UNIX))
    report("AF_INET", lambda: socket.socket(socket.AF_INET))
    report("AF_INET6", lambda: socket.socket(socket.AF_INET6))
    # What it must not have.
    report("AF_NETLINK", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
    report("AF_VSOCK", lambda: socket.socket(socket.AF_VSOCK))
    report("new namespace", new_namespace)
    report("writable and executable memory", lambda: mmap.mmap(-1, 4096, prot=7))
    report("another personality", lambda: call("personality", 0x0040000))
    report("set-user-id files", set_user_id_bit)
    report("real-time scheduling", lambda: call("sched_setscheduler", 0, 1, ctypes.byref(ctypes.c_int(1))))
    report("priorities", lambda: call("setpriority", 0, 0, 5))
    report("trace a process", lambda: call("ptrace", 0x4206, int(peer), 0, 0))
    report("mount", lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
    report("set the clock", lambda: call("settimeofday", ctypes.byref((ctypes.c_long * 2)(0, 0)), None))
    report("set the host name", lambda: call("sethostname", b"probe", 5))
    report("load a module", lambda: call("init_module", None, 0, b""))
    report("read the kernel log", lambda: call("syslog", 3, ctypes.create_string_buffer(64), 64))
    report("load a program into the kernel", lambda: call("bpf", 0, None, 0))
    report("write the home directory", lambda: write(home / "probe"))
    report("write the configuration", lambda: write(home / ".config" / "probe"))
    report("write beside the runtime directory", lambda: write(f"{runtime}/probe"))
    report("write the system", lambda: write("/srv/open/probe"))
    report("write kernel settings", lambda: write("/proc/sys/kernel/hostname"))
    report("write control groups", lambda: write("/sys/fs/cgroup/probe"))
    report("see the files of others in /tmp", lambda: require(os.path.exists(f"/tmp/{marker}")))
    report("see devices", lambda: require(os.path.exists(f"/dev/{marker}")))
    report("capabilities", lambda: require(int(status("CapBnd"), 16) or int(status("CapEff"), 16)))
    report("new privileges by exec", lambda: require(status("NoNewPrivs") == "0"))
    report("other users", lambda: require(pathlib.Path("/proc/self/uid_map").read_text().split()[2:] != ["1"]))
    report("core files", lambda: require(resource.getrlimit(resource.RLIMIT_CORE) != (0, 0)))
    report("open permissions", lambda: require(os.umask(0o077) != 0o077))


main(*sys.argv[1:])
