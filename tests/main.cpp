// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// The main() of every test program: doctest, and a watchdog. A test case that runs for longer than
// GEERPC_TEST_TIMEOUT seconds (default 60; 4 times as much under a sanitizer) is named, the stacks
// of all threads are printed if gdb is installed, and the program is aborted.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "support/child.hpp"
#include "support/eventually.hpp"

namespace {

std::chrono::seconds test_timeout() {
  const char* text = std::getenv("GEERPC_TEST_TIMEOUT");
  const int seconds = text == nullptr ? 0 : std::atoi(text);
  return std::chrono::seconds(seconds > 0 ? seconds : 60 * test::kSlowdown);
}

[[noreturn]] void report_hang(const std::string& name, std::chrono::seconds timeout) {
  std::fflush(stdout);
  std::fprintf(stderr, "\nwatchdog: test case \"%s\" has been running for %lld s; giving up\n",
               name.c_str(), static_cast<long long>(timeout.count()));
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // else gdb may not look at its parent
  const std::string gdb =
      "command -v gdb >/dev/null && timeout 60 gdb -nx -batch -ex 'thread apply all bt 24' -p " +
      std::to_string(::getpid()) + " >&2 2>/dev/null || echo 'watchdog: no stacks (needs gdb)' >&2";
  if (std::system(gdb.c_str()) != 0) std::fputs("watchdog: no shell\n", stderr);
  std::signal(SIGABRT, SIG_DFL);  // doctest's handler would blame this thread
  std::abort();
}

// Knows which test case runs since when; a thread of its own looks at it.
class Watchdog : public doctest::IReporter {
 public:
  explicit Watchdog(const doctest::ContextOptions&) {}

  void test_run_start() override {
    thread_ = std::thread([this] { watch(); });
  }
  void test_run_end(const doctest::TestRunStats&) override {
    set(nullptr, /*ended=*/true);
    if (thread_.joinable()) thread_.join();
  }
  void test_case_start(const doctest::TestCaseData& test) override { set(test.m_name); }
  void test_case_reenter(const doctest::TestCaseData& test) override { set(test.m_name); }
  void test_case_end(const doctest::CurrentTestCaseStats&) override { set(nullptr); }

  void report_query(const doctest::QueryData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  void set(const char* name, bool ended = false) {
    const std::lock_guard<std::mutex> lock(mutex_);
    name_ = name == nullptr ? "" : name;
    deadline_ = test::Clock::now() + timeout_;
    ended_ = ended;
    changed_.notify_all();
  }
  void watch() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!ended_) {
      if (name_.empty()) {
        changed_.wait(lock);
      } else if (test::Clock::now() >= deadline_) {
        report_hang(name_, timeout_);
      } else {
        changed_.wait_until(lock, test::Clock::time_point(deadline_));
      }
    }
  }

  const std::chrono::seconds timeout_ = test_timeout();
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string name_;  // of the test case that runs; empty between two. Guarded by mutex_, as below.
  test::Clock::time_point deadline_;
  bool ended_ = false;
};

REGISTER_LISTENER("watchdog", 1, Watchdog);

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> code = test::run_child_function(argc, argv)) return *code;
  doctest::Context context(argc, argv);
  return context.run();
}
