"""A screen saver that is not ours (python-dbusmock), under the name, path and interface of a desktop.

Reads a word a line, `lock` or `unlock`, and prints a line when it is ready and after each.
"""

import subprocess
import sys

import dbus
from dbusmock import MOCK_IFACE, DBusTestCase

name, path, interface = sys.argv[1:]
if name == "org.gnome.ScreenSaver":
    server, saver = DBusTestCase.spawn_server_template("gnome_screensaver", {}, subprocess.DEVNULL)
else:
    server = DBusTestCase.spawn_server(name, path, interface, stdout=subprocess.DEVNULL)
    saver = DBusTestCase.get_dbus().get_object(name, path)
    active = "getattr(self, 'is_active', False)"
    changed = "self.EmitSignal('', 'ActiveChanged', 'b', [self.is_active])"
    saver.AddMethod(interface, "GetActive", "", "b", f"ret = {active}", dbus_interface=MOCK_IFACE)
    saver.AddMethod(interface, "SetActive", "b", "", f"self.is_active = args[0]; {changed}", dbus_interface=MOCK_IFACE)
try:
    print("ready", flush=True)
    for word in sys.stdin:
        saver.SetActive(word.strip() == "lock", dbus_interface=interface)
        print("done", flush=True)
finally:
    server.terminate()
    server.wait()
