# SPDX-License-Identifier: BSD-2-Clause
"""The disk image: what is on it, that it is the same twice, what is refused."""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import tool

image = tool.load("image")


def kernel(stub=True, size=5000):
    """Bytes that look like the boot image of a kernel."""
    data = bytearray(range(256)) * (size // 256 + 4)
    data[0x202:0x206] = b"HdrS"
    data[:2] = b"MZ" if stub else b"\0\0"
    struct.pack_into("<I", data, 0x3c, 0x40)
    data[0x40:0x46] = b"PE\0\0" + struct.pack("<H", image.X86_64)
    return bytes(data[:size])


@unittest.skipUnless(image.STUB.is_file(), "no systemd-boot-efi")
class ImageTest(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pith-image-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.file("bzImage", kernel())
        self.file("initramfs", b"070701 archive" * 1000)
        (self.top / "out").mkdir()
        self.out = self.top / "out/disk.img"

    def file(self, name, data):
        (self.top / name).write_bytes(data)

    def make(self, *options, path=""):
        env = {**os.environ, "PATH": path + os.environ["PATH"]}
        done = subprocess.run(
            [str(tool.SCRIPTS / "image"), "--kernel",
             str(self.top / "bzImage"), "--initrd",
             str(self.top / "initramfs"), "--out", str(self.out), *options],
            capture_output=True, text=True, check=False, env=env)
        self.error = done.stderr
        return done.returncode

    def refused(self, *said, options=(), path=""):
        """It fails, says why in a line, and leaves things as they were."""
        self.out.write_bytes(b"an older image")
        self.assertEqual(self.make(*options, path=path), 1)
        self.assertEqual(self.error.count("\n"), 1, self.error)
        for text in ("image: ", *said):
            self.assertIn(text, self.error)
        self.assertEqual(self.out.read_bytes(), b"an older image")
        self.assertEqual(list(self.out.parent.iterdir()), [self.out])

    def sections(self, efi):
        """{name: (address, content)} of a program."""
        data = efi.read_bytes()
        at = image.pe_header(data)
        count, optional = struct.unpack_from("<H12xH", data, at + 6)
        found = {}
        for i in range(count):
            name, size, address, _, start = struct.unpack_from(
                "<8sIIII", data, at + 24 + optional + 40 * i)
            found[name.rstrip(b"\0").decode()] = (address,
                                                  data[start:start + size])
        return found

    def program_on_disk(self):
        out = self.top / "from-disk"
        subprocess.run(["mcopy", "-n", "-o", "-i",
                        f"{self.out}@@{image.START}",
                        "::/EFI/BOOT/BOOTX64.EFI", str(out)], check=True)
        return out

    def test_program_has_all_parts(self):
        self.assertEqual(self.make("--cmdline", "quiet panic=-1"), 0,
                         self.error)
        found = self.sections(self.program_on_disk())
        self.assertEqual(found[".linux"][1], kernel())
        self.assertEqual(found[".initrd"][1], b"070701 archive" * 1000)
        self.assertEqual(found[".cmdline"][1], b"quiet panic=-1")
        self.assertIn(b"ID=pith\n", found[".osrel"][1])

    def test_parts_do_not_overlap(self):
        self.assertEqual(self.make(), 0, self.error)
        end = 0
        for address, data in sorted(
                self.sections(self.program_on_disk()).values()):
            self.assertGreaterEqual(address, end)
            end = address + len(data)

    def test_disk_is_in_order(self):
        self.assertEqual(self.make(), 0, self.error)
        table = subprocess.run(["/sbin/sfdisk", "-d", str(self.out)],
                               check=True, capture_output=True, text=True)
        self.assertIn("label: gpt", table.stdout)
        self.assertIn("type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
                      table.stdout)
        part = self.top / "part"
        with open(self.out, "rb") as disk:
            disk.seek(image.START)
            part.write_bytes(disk.read(image.SMALLEST))
        check = subprocess.run(["/sbin/fsck.vfat", "-n", str(part)],
                               capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_same_input_same_bytes(self):
        efi = self.top / "one.efi"
        self.assertEqual(self.make("--efi", str(efi)), 0, self.error)
        first = self.out.read_bytes()
        self.assertEqual(efi.read_bytes(),
                         self.program_on_disk().read_bytes())
        os.utime(self.top / "bzImage", (1, 1))
        self.assertEqual(self.make(), 0, self.error)
        self.assertEqual(self.out.read_bytes(), first)

    def test_large_archive_gets_a_large_disk(self):
        data = os.urandom(1 << 20) * 45
        self.file("initramfs", data)
        self.assertEqual(self.make(), 0, self.error)
        found = self.sections(self.program_on_disk())
        self.assertEqual(found[".initrd"][1], data)

    def test_no_kernel(self):
        (self.top / "bzImage").unlink()
        self.refused("bzImage", "No such file")

    def test_no_archive(self):
        (self.top / "initramfs").unlink()
        self.refused("initramfs", "No such file")

    def test_not_a_kernel(self):
        self.file("bzImage", b"\x7fELF" + bytes(5000))
        self.refused("no image of a Linux kernel")
        self.file("bzImage", b"")
        self.refused("no image of a Linux kernel")

    def test_kernel_without_stub(self):
        self.file("bzImage", kernel(stub=False))
        self.refused("CONFIG_EFI_STUB")
        wrong = bytearray(kernel())
        struct.pack_into("<I", wrong, 0x3c, 0xffffffff)
        self.file("bzImage", wrong)
        self.refused("CONFIG_EFI_STUB")

    def test_too_large(self):
        with open(self.top / "initramfs", "wb") as file:
            file.truncate(image.LARGEST + (1 << 20))
        self.refused("1025 MiB are too large")

    def test_command_line(self):
        for line in ("two\nlines", "größe", "nul\x7f"):
            self.refused("not one line of ASCII", options=("--cmdline", line))
        self.refused("2048 bytes", options=("--cmdline", "x" * 2048))

    def test_stub(self):
        self.refused("none", "No such file",
                     options=("--stub", str(self.top / "none")))
        self.file("stub", kernel()[:0x50])
        self.refused("no program of UEFI",
                     options=("--stub", str(self.top / "stub")))

    def test_a_tool_fails(self):
        (self.top / "bin").mkdir()
        for name in ("objcopy", "sfdisk", "mcopy"):
            fake = self.top / "bin" / name
            fake.write_text("#!/bin/sh\necho no room\nexit 3\n")
            fake.chmod(0o755)
            self.refused(f"{name}: exit status 3: no room",
                         path=f"{self.top}/bin:")
            fake.unlink()


if __name__ == "__main__":
    unittest.main()
