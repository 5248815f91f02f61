// How much CPU a relay takes to pass SMTP on, beside other relays, in the same rounds.
//
//   relay_bench --relay 'smtpscope=smtpscope proxy --listen {listen} --upstream {upstream} -f none'
//               --relay 'haproxy=haproxy -db -f {dir}/haproxy.cfg'
//
// This program is both ends: client and server, one thread each. A relay is started afresh for
// every run, and its CPU time is set in relation to that of the ends in the same run ("/ends"):
// shared machines change their speed from minute to minute, ratios within a run hardly do.
// {listen} and {upstream} stand for 127.0.0.1:PORT; {dir} is an empty folder of the run's own, in
// which a haproxy.cfg and an nginx.conf that relay TCP lie ready.

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/relay_bench_client.h"
#include "bench/relay_bench_process.h"
#include "bench/relay_bench_sink.h"

namespace smtpscope::bench {
namespace {

struct Relay {
  std::string name;
  std::string command;  // empty: no relay at all
};

struct Run {
  double messages = 0;
  double megabytes = 0;
  double seconds = 0;
  double relay_cpu = 0;
  double ends_cpu = 0;
  double p50_us = 0;
  double p99_us = 0;
  double rss_kb = 0;
  double session_kb = 0;  // of an idle session
  bool failed = false;
};

void write_haproxy_config(const std::string& folder, int listen, int upstream) {
  std::ofstream config(folder + "/haproxy.cfg");
  config << "global\n  tune.bufsize 65536\n"
         << "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n"
         << "  timeout server 60s\n"
         << "listen smtp\n  bind 127.0.0.1:" << listen << "\n  server mta 127.0.0.1:" << upstream
         << "\n";
}

void write_nginx_config(const std::string& folder, int listen, int upstream) {
  std::ofstream config(folder + "/nginx.conf");
  // Debian has it as a module, others built in.
  const char* const module = "/usr/lib/nginx/modules/ngx_stream_module.so";
  if (std::filesystem::exists(module)) config << "load_module " << module << ";\n";
  // One process, as the others are.
  config << "daemon off;\nmaster_process off;\nworker_rlimit_nofile 16384;\n"
         << "pid " << folder << "/nginx.pid;\nerror_log stderr crit;\n"
         << "events { worker_connections 8192; }\n"
         << "stream { server { listen 127.0.0.1:" << listen
         << " backlog=4096; proxy_pass 127.0.0.1:" << upstream << "; } }\n";
}

std::string filled_in(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [key, value] : values) {
    const std::string mark = "{" + key + "}";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

/// Ties the calling thread to one CPU, and with it the threads and processes that it then starts.
class OneCpu {
 public:
  explicit OneCpu(bool wanted) : wanted_(wanted) {
    if (!wanted_) return;
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &before_)) {
        CPU_SET(cpu, &one);
        break;
      }
    }
    sched_setaffinity(0, sizeof(one), &one);
  }
  ~OneCpu() {
    if (wanted_) sched_setaffinity(0, sizeof(before_), &before_);
  }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;

 private:
  const bool wanted_;
  cpu_set_t before_{};
};

Run run_once(const Relay& relay, const Workload& workload, double seconds) {
  Run result;
  const OneCpu tied(workload.one_cpu);
  Sink sink;
  const int upstream = sink.port();
  int port = upstream;
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("relay_bench." + std::to_string(getpid())))
          .string();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  Process process;
  if (!relay.command.empty()) {
    port = free_port();
    write_haproxy_config(folder, port, upstream);
    write_nginx_config(folder, port, upstream);
    const std::string command =
        filled_in(relay.command, {{"listen", "127.0.0.1:" + std::to_string(port)},
                                  {"upstream", "127.0.0.1:" + std::to_string(upstream)},
                                  {"dir", folder}});
    if (!process.start(command) || !wait_until_listening(port)) {
      std::fprintf(stderr, "relay_bench: %s does not listen: %s\n", relay.name.c_str(),
                   command.c_str());
      result.failed = true;
      return result;
    }
  }
  const double rss_before = process.rss_kb();
  const double relay_before = process.cpu_seconds();
  const double sink_before = sink.cpu_seconds();
  const ClientResult client = run_client(workload, port, seconds);
  result.relay_cpu = process.cpu_seconds() - relay_before;
  result.ends_cpu = client.cpu_seconds + sink.cpu_seconds() - sink_before;
  result.messages = static_cast<double>(client.messages);
  result.megabytes = static_cast<double>(client.octets) / 1e6;
  result.seconds = client.seconds;
  result.p50_us = client.p50_us;
  result.p99_us = client.p99_us;
  result.rss_kb = process.rss_kb();
  if (workload.idle) {
    result.session_kb = (result.rss_kb - rss_before) / static_cast<double>(workload.sessions);
  }
  result.failed = client.failed;
  process.stop();
  std::filesystem::remove_all(folder);
  return result;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <typename Of>
double median_of(const std::vector<Run>& runs, Of of) {
  std::vector<double> values;
  for (const Run& run : runs) {
    if (!run.failed) values.push_back(of(run));
  }
  return median(values);
}

int usage(const char* problem) {
  std::fprintf(
      stderr,
      "relay_bench: %s\n"
      "usage: relay_bench [--relay NAME=COMMAND]... [--workloads short,kept,bulk,rtt,idle,rtt1]\n"
      "                   [--rounds N] [--seconds S]\n",
      problem);
  return 2;
}

int bench(int argc, char** argv) {
  std::vector<Relay> relays = {{"direct", ""}};
  std::string workloads = "short,kept,bulk,rtt,idle,rtt1";
  int rounds = 3;
  double seconds = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (i + 1 == argc) return usage("an option lacks its value");
    const std::string value = argv[++i];
    if (option == "--relay") {
      const std::size_t equals = value.find('=');
      if (equals == std::string::npos) return usage("--relay takes NAME=COMMAND");
      relays.push_back({value.substr(0, equals), value.substr(equals + 1)});
    } else if (option == "--workloads") {
      workloads = value;
    } else if (option == "--rounds") {
      rounds = std::max(1, std::atoi(value.c_str()));
    } else if (option == "--seconds") {
      seconds = std::max(0.2, std::atof(value.c_str()));
    } else {
      return usage("unknown option");
    }
  }

  bool failed = false;
  for (const Workload& workload : all_workloads()) {
    if (("," + workloads + ",").find("," + std::string(workload.name) + ",") == std::string::npos) {
      continue;
    }
    std::map<std::string, std::vector<Run>> runs;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < relays.size(); ++i) {
        // The order rotates, so that nobody always runs on a machine warmed up by the same one.
        const Relay& relay = relays[(i + static_cast<std::size_t>(round)) % relays.size()];
        runs[relay.name].push_back(run_once(relay, workload, seconds));
        failed |= runs[relay.name].back().failed;
      }
    }
    std::printf("\n%s: %s\n", workload.name, workload.what);
    std::printf("  %-16s %12s %10s %12s %12s %8s %10s %10s %8s %10s\n", "relay", "messages/s",
                "MB/s", "CPU us/msg", "CPU us/MB", "/ends", "p50 us", "p99 us", "RSS KB",
                "KB/session");
    for (const Relay& relay : relays) {
      const auto& of = runs[relay.name];
      std::printf("  %-16s %12.0f %10.1f %12.1f %12.1f %8.3f %10.1f %10.1f %8.0f %10.1f\n",
                  relay.name.c_str(),
                  median_of(of, [](const Run& run) { return run.messages / run.seconds; }),
                  median_of(of, [](const Run& run) { return run.megabytes / run.seconds; }),
                  median_of(of, [](const Run& run) { return run.relay_cpu * 1e6 / run.messages; }),
                  median_of(of,
                            [](const Run& run) {
                              return run.megabytes > 0 ? run.relay_cpu * 1e6 / run.megabytes : 0;
                            }),
                  median_of(of, [](const Run& run) { return run.relay_cpu / run.ends_cpu; }),
                  median_of(of, [](const Run& run) { return run.p50_us; }),
                  median_of(of, [](const Run& run) { return run.p99_us; }),
                  median_of(of, [](const Run& run) { return run.rss_kb; }),
                  median_of(of, [](const Run& run) { return run.session_kb; }));
    }
    std::fflush(stdout);
  }
  return failed ? 2 : 0;
}

}  // namespace
}  // namespace smtpscope::bench

int main(int argc, char** argv) {
  // Both ends of an idle run's sessions are this program's; the relays inherit it.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 16384);
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return smtpscope::bench::bench(argc, argv);
}
