// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Process: a second process, which can be killed. Child: one that runs a function of this test
// program.
//
//   const test::ChildFunction serve("serve", [](const std::vector<std::string>& arguments) {
//     geerpc::Server server; …
//     std::cout << server.listen("tcp@127.0.0.1:0").str() << std::endl;
//     std::string line;
//     std::getline(std::cin, line);  // until the parent says so, or is gone
//     return 0;
//   });
//   TEST_CASE("…") {
//     test::Child child("serve");
//     geerpc::Client client(child.read_line());
//     child.kill();
//   }

#ifndef GEERPC_TESTS_SUPPORT_CHILD_HPP
#define GEERPC_TESTS_SUPPORT_CHILD_HPP

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>     // getenv
#include <functional>  // function
#include <map>         // map
#include <optional>    // optional
#include <string>      // string
#include <thread>      // thread
#include <utility>     // move
#include <vector>      // vector

#include "raw_socket.hpp"

namespace test {

// Registers `run` under a name that is unique in the program. Make it a namespace-scope constant of
// a test file.
class ChildFunction {
 public:
  using Run = std::function<int(const std::vector<std::string>& arguments)>;  // gives the exit code

  ChildFunction(const std::string& name, Run run) { all()[name] = std::move(run); }

  static std::map<std::string, Run>& all() {
    static std::map<std::string, Run> functions;
    return functions;
  }
};

inline constexpr const char* kChildVariable = "GEERPC_TEST_CHILD";
inline constexpr int kLifeline = 3;  // the child's end of a pipe that closes when its parent ends

// For main(): in a child, runs its function and returns the exit code; else nothing.
inline std::optional<int> run_child_function(int argc, char** argv) {
  const char* name = std::getenv(kChildVariable);
  if (name == nullptr) return std::nullopt;
  std::thread([] {
    char byte;
    while (::read(kLifeline, &byte, 1) > 0) {
    }
    ::_exit(99);  // the parent is gone: nobody waits for us
  }).detach();
  const auto found = ChildFunction::all().find(name);
  if (found == ChildFunction::all().end()) return 98;
  return found->second(std::vector<std::string>(argv + 1, argv + argc));
}

// A process that starts when made and is killed with the object. Its standard error is ours. Used
// by one thread at a time.
class Process {
 public:
  // Runs the file `path`; `words` are its name and arguments, `variables` are added to ours.
  Process(const std::string& path, std::vector<std::string> words,
          std::vector<std::string> variables = {}) {
    Pipe in, out, life;
    std::vector<char*> argv, env;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    for (char** e = environ; *e != nullptr; ++e) env.push_back(*e);
    for (std::string& variable : variables) env.push_back(variable.data());
    env.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, life.read.get(), kLifeline);
    const int error =
        ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, argv.data(), env.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::system_error(error, std::generic_category(), "posix_spawn");
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    lifeline_ = std::move(life.write);
  }
  ~Process() {
    if (running_) kill();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }

  // The child's next line of output, without its end.
  std::string read_line(Clock::duration patience = kPatience) {
    const Clock::time_point deadline = Clock::now() + patience;
    std::size_t end;
    while ((end = pending_.find('\n')) == std::string::npos) {
      char block[4096];
      if (!wait_ready(out_.get(), POLLIN, deadline)) {
        throw std::runtime_error("the child printed no line, only: " + pending_);
      }
      const ssize_t n = ::read(out_.get(), block, sizeof block);
      if (n == 0) throw std::runtime_error("the child ended, after: " + pending_);
      if (n > 0) pending_.append(block, static_cast<std::size_t>(n));
      if (n < 0 && errno != EINTR) fail_with_errno("read from child");
    }
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return line;
  }
  // A line for its standard input. The child must be there to take it.
  void write_line(std::string line) {
    line += '\n';
    if (::write(in_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      fail_with_errno("write to child");
    }
  }
  void close_input() { in_.close(); }

  // SIGKILL, SIGSTOP, …; after a deadly one, wait() or the destructor collect it.
  void signal(int number) { ::kill(pid_, number); }
  // kill -9, and waits until the process is gone.
  void kill() {
    signal(SIGKILL);
    wait();
  }
  // Waits for the end. Returns the exit code, or minus the number of the signal that ended it.
  int wait(Clock::duration patience = kPatience) {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) != 0; }, patience);
    if (!ended) throw std::runtime_error("the child does not end");
    running_ = false;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  // Close-on-exec and above 3, so that dup2 onto 0, 1 and 3 can't overwrite one of its ends.
  struct Pipe {
    Fd read, write;
    Pipe() {
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0) fail_with_errno("pipe");
      read = lifted(Fd(ends[0]));
      write = lifted(Fd(ends[1]));
    }
    static Fd lifted(Fd fd) {
      Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
      if (copy.get() < 0) fail_with_errno("fcntl");
      return copy;
    }
  };

  pid_t pid_ = -1;
  bool running_ = true;
  Fd in_, out_, lifeline_;
  std::string pending_;
};

// Runs a ChildFunction. Can't outlive this process.
class Child : public Process {
 public:
  explicit Child(const std::string& function, std::vector<std::string> arguments = {})
      : Process("/proc/self/exe", with_name(function, std::move(arguments)),
                {std::string(kChildVariable) + "=" + function}) {}

 private:
  static std::vector<std::string> with_name(const std::string& function,
                                            std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), function);
    return arguments;
  }
};

}  // namespace test

#endif  // GEERPC_TESTS_SUPPORT_CHILD_HPP
