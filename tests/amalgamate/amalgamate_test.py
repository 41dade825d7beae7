# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""amalgamate.py on small trees of its own: what it writes, and what it refuses."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "amalgamate.py"
BANNER = "// geerpc\n// SPDX-License-Identifier: MIT\n//\n// A part.\n\n"


def part(path, body):
    guard = path.replace("/", "_").replace(".", "_").upper()
    return f"{BANNER}#ifndef {guard}\n#define {guard}\n\n{body}\n#endif  // {guard}\n"


VERSION = "".join(f"#define GEERPC_VERSION_{name} {number}\n"
                  for name, number in (("MAJOR", 1), ("MINOR", 22), ("PATCH", 3)))


class Tree(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        (self.root / "LICENSE").write_text("The licence\n\ntext\n")
        self.write("geerpc/base/version.hpp", VERSION)
        self.write("geerpc/net/socket.hpp", "#include <geerpc/base/version.hpp>\n#include <poll.h>\n")
        self.write("geerpc/geerpc.hpp",
                   "#include <geerpc/base/version.hpp>\n#include <geerpc/net/socket.hpp>\n")

    def write(self, path, body, raw=False):
        file = self.root / "include" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body if raw else part(path, body))

    def reach(self, path):
        """The umbrella includes the part at `path` too."""
        self.write("geerpc/geerpc.hpp", "#include <geerpc/base/version.hpp>\n"
                   f"#include <geerpc/net/socket.hpp>\n#include <{path}>\n")

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, "--root", self.root, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def single(self):
        return (self.root / "single_include/geerpc/geerpc.hpp").read_text()

    def check_finds(self, text):
        self.run_script()
        result = self.run_script("--check")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(text, result.stderr)

    def test_writes_each_part_once_and_finds_it_fresh(self):
        self.assertEqual(self.run_script().returncode, 0)
        text = self.single()
        self.assertEqual(text.count("#define GEERPC_VERSION_MAJOR 1\n"), 1)
        self.assertEqual(text.count("#define GEERPC_SINGLE_HEADER 1\n"), 1)
        self.assertIn("// geerpc 1.22.3:", text)
        self.assertIn("// The licence\n//\n// text\n", text)
        self.assertIn("#include <poll.h>\n", text)
        self.assertNotIn("#include <geerpc/", text)
        result = self.run_script("--check")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_gives_the_same_bytes_each_time(self):
        self.run_script()
        first = self.single()
        self.run_script()
        self.assertEqual(first, self.single())

    def test_check_writes_nothing(self):
        self.assertEqual(self.run_script("--check").returncode, 1)
        self.assertFalse((self.root / "single_include").exists())

    def test_names_the_part_in_which_a_stale_header_differs(self):
        self.run_script()
        self.write("geerpc/net/socket.hpp",
                   "#include <geerpc/base/version.hpp>\n#include <poll.h>\nint x();\n")
        result = self.run_script("--check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("stale, first in include/geerpc/net/socket.hpp", result.stderr)
        self.assertIn("run ./amalgamate.py", result.stderr)

    def test_copies_raw_strings_and_comments_untouched(self):
        body = 'inline const char* page = R"(\n  <a>\n// text \t\n)";\n'
        self.write("geerpc/observe/page.hpp", body)
        self.reach("geerpc/observe/page.hpp")
        self.run_script()
        self.assertIn(body, self.single())

    def test_writes_line_directives_that_name_the_parts(self):
        self.assertEqual(self.run_script("--line").returncode, 0)
        lines = self.single().split("\n")
        at = lines.index('#line 1 "geerpc/base/version.hpp"')
        self.assertEqual(lines[at + 1], "// geerpc")
        # Behind a part, the numbers go on where its include stood.
        umbrella = (self.root / "include/geerpc/geerpc.hpp").read_text().split("\n")
        after = umbrella.index("#include <geerpc/net/socket.hpp>") + 1
        at = lines.index(f'#line {after + 1} "geerpc/geerpc.hpp"')
        self.assertEqual(lines[at + 1], umbrella[after])

    def test_refuses_an_include_of_a_higher_layer(self):
        self.write("geerpc/base/version.hpp", VERSION + "#include <geerpc/net/socket.hpp>\n")
        self.check_finds("base/ must not include net/")

    def test_refuses_that_client_and_server_know_each_other(self):
        self.write("geerpc/server/server.hpp", "")
        self.write("geerpc/client/client.hpp", "#include <geerpc/server/server.hpp>\n")
        self.reach("geerpc/client/client.hpp")
        self.check_finds("client/ must not include server/")

    def test_refuses_a_circle(self):
        self.write("geerpc/net/a.hpp", "#include <geerpc/net/b.hpp>\n")
        self.write("geerpc/net/b.hpp", "#include <geerpc/net/a.hpp>\n")
        self.reach("geerpc/net/a.hpp")
        self.check_finds("circle: geerpc/net/a.hpp -> geerpc/net/b.hpp -> geerpc/net/a.hpp")

    def test_refuses_a_part_that_does_not_exist(self):
        self.reach("geerpc/net/missing.hpp")
        self.check_finds("there is no include/geerpc/net/missing.hpp")

    def test_refuses_a_part_that_nothing_includes(self):
        self.write("geerpc/net/lost.hpp", "")
        self.check_finds("does not reach this part")

    def test_refuses_a_conditional_include_of_a_part(self):
        self.write("geerpc/net/socket.hpp",
                   "#ifdef X\n#include <geerpc/base/version.hpp>\n#endif\n")
        self.check_finds("must be included unconditionally")

    def test_refuses_anything_else_on_the_line_of_an_include(self):
        self.write("geerpc/net/socket.hpp", "#include <geerpc/base/version.hpp>  // why\n")
        self.check_finds("nothing but `#include <geerpc/...>`")

    def test_refuses_a_relative_include(self):
        self.write("geerpc/net/socket.hpp", '#include "../base/version.hpp"\n')
        self.check_finds('never "relative"')

    def test_refuses_a_file_that_is_too_long(self):
        self.write("geerpc/net/socket.hpp", "\n" * 400)
        self.check_finds("a part has at most 400")

    def test_refuses_a_macro_without_the_prefix(self):
        self.write("geerpc/net/socket.hpp", "#  define SOCKET_MAX 7\n")
        self.check_finds("macro SOCKET_MAX has no GEERPC_ prefix")

    def test_refuses_a_wrong_guard(self):
        self.write("geerpc/net/socket.hpp", part("geerpc/net/other.hpp", ""), raw=True)
        self.check_finds("the guard must be GEERPC_NET_SOCKET_HPP")

    def test_refuses_an_unknown_folder(self):
        self.write("geerpc/misc/x.hpp", "")
        self.reach("geerpc/misc/x.hpp")
        self.check_finds("unknown layer")

    def test_keeps_http_and_sockets_in_their_folders(self):
        self.write("geerpc/net/socket.hpp", "#include <httplib.h>\n")
        self.check_finds("<httplib.h> may be included only in http/httplib")
        self.write("geerpc/net/socket.hpp", "")
        self.write("geerpc/codec/x.hpp", "#include <sys/socket.h>\n")
        self.reach("geerpc/codec/x.hpp")
        self.check_finds("<sys/socket.h> may be included only in net/")


if __name__ == "__main__":
    unittest.main()
