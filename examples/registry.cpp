// A registry, two servers and a client as separate processes. Each is this program in another role;
// without arguments it starts all of them, kills one server, and ends them.
//
//   ./registry                       everything
//   ./registry registry              prints the registry's URL
//   ./registry server NAME URL       prints its address once it is registered
//
// A child ends when its standard input does, so none is left over, however this program ends.

#include <geerpc/geerpc.hpp>

#include <iostream>   // cerr, cin, cout
#include <set>        // set
#include <stdexcept>  // runtime_error
#include <string>     // getline, string
#include <vector>     // vector

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

// ---- The roles.

void until_input_ends() {
  for (std::string line; std::getline(std::cin, line);) {
  }
}

void run_registry() {
  geerpc::Registry registry;
  geerpc::RegistryServer server(registry);
  server.listen("127.0.0.1:0");
  std::cout << server.url() << std::endl;
  until_input_ends();
}

void run_server(const std::string& name, const std::string& registry) {
  geerpc::Server server;
  server.add("Who.AreYou", [name] { return name; });
  const geerpc::Address address = server.listen("tcp@127.0.0.1:0");
  const geerpc::Heartbeat heartbeat(registry, server, address);
  if (!heartbeat.wait_registered(10s)) throw std::runtime_error("can't register");
  std::cout << address.str() << std::endl;
  until_input_ends();
}

// ---- Starting them.

// This program as a child, with pipes to its standard input and from its standard output.
class Child {
 public:
  Child(const char* program, std::vector<std::string> arguments) {
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipes");
    }
    std::vector<char*> argv{const_cast<char*>(program)};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(input[0], 0);
      dup2(output[1], 1);
      execvp(program, argv.data());
      _exit(127);
    }
    close(input[0]);
    close(output[1]);
    to_child_ = input[1];
    from_child_ = output[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    close(to_child_);
    close(from_child_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }

  std::string read_line() {
    std::string line;
    for (char c = 0; read(from_child_, &c, 1) == 1 && c != '\n';) line += c;
    if (line.empty()) throw std::runtime_error("a child said nothing");
    return line;
  }
  // Does not come back before the child is really gone.
  void kill_at_once() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int to_child_ = -1, from_child_ = -1;
};

// The names of those who answer ten calls.
std::string ask_ten_times(geerpc::XClient& cluster) {
  std::set<std::string> names;
  for (int i = 0; i < 10; ++i) {
    geerpc::Result<std::string> name = cluster.try_call<std::string>("Who.AreYou");
    // A call that certainly never ran was repeated elsewhere already. This one may have run, since
    // its server was lost in the middle of it: only its caller knows that asking again is harmless.
    if (name.code() == geerpc::StatusCode::unavailable) {
      name = cluster.try_call<std::string>("Who.AreYou");
    }
    names.insert(name.value());
  }
  std::string text;
  for (const std::string& name : names) text += ' ' + name;
  return text;
}

void run_all(const char* program) {
  Child registry(program, {"registry"});
  const std::string url = registry.read_line();
  Child alice(program, {"server", "alice", url}), bob(program, {"server", "bob", url});
  alice.read_line();  // they are registered now
  bob.read_line();

  geerpc::RegistryDiscovery discovery(url);
  std::cout << "the registry knows " << discovery.servers()->servers.size() << " servers\n";
  geerpc::XClient cluster(discovery, geerpc::SelectMode::round_robin);
  std::cout << "ten calls:" << ask_ten_times(cluster) << '\n';

  // The registry lists bob for another five minutes, but he is skipped.
  bob.kill_at_once();
  std::cout << "ten calls without bob:" << ask_ten_times(cluster) << '\n';
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.empty()) {
      run_all(argv[0]);
    } else if (arguments[0] == "registry" && arguments.size() == 1) {
      run_registry();
    } else if (arguments[0] == "server" && arguments.size() == 3) {
      run_server(arguments[1], arguments[2]);
    } else {
      std::cerr << "usage: registry [registry | server NAME URL]\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "registry: " << error.what() << '\n';
    return 1;
  }
}
