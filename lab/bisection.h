#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace smtpscope {

/// How an experiment ended. kUnknown: it could not be judged.
enum class LabJudgement : std::uint8_t { kGood, kBad, kUnknown };

/// How often the same experiment ended how.
struct LabTrial {
  unsigned good = 0;
  unsigned bad = 0;
  unsigned unknown = 0;

  bool all_good() const { return good > 0 && bad + unknown == 0; }
  bool all_bad() const { return bad > 0 && good + unknown == 0; }
};

/// Finds which traits of what a client sees make it behave badly: the smallest set of traits that
/// have to be altered for it to behave. Each set of traits is tried several times, and never again.
class Bisection {
 public:
  /// Traits by number from 0, in order.
  using Traits = std::vector<std::size_t>;
  /// Runs the client once with these traits altered.
  using Experiment = std::function<LabJudgement(const Traits& altered)>;

  enum class End : std::uint8_t {
    kFound,
    kNeverBad,      // it behaves without any alteration
    kNeverGood,     // it behaves badly whatever is altered
    kInconclusive,  // the same experiment ended differently
  };
  struct Answer {
    End end = End::kInconclusive;
    std::vector<Traits> alone;  // traits that are enough, each by itself
    Traits minimal;             // kFound: none of them can be left out
    Traits last;                // what was tried last; kInconclusive: what ended differently
    LabTrial trial;             // of that
    unsigned runs = 0;          // of the client
  };

  /// `repeat`: runs of each experiment, at least 1.
  Bisection(std::size_t traits, unsigned repeat, Experiment experiment);

  /// First proves that nothing altered is bad and all altered is good; then tries each trait alone;
  /// where none is enough, takes traits away from all (Zeller's ddmin) until none can be spared.
  Answer find();

 private:
  const LabTrial& trial(const Traits& altered);
  bool good(const Traits& altered);
  Traits reduced(Traits altered);

  const std::size_t traits_;
  const unsigned repeat_;
  const Experiment experiment_;
  std::map<Traits, LabTrial> known_;
  Answer answer_;
  bool steady_ = true;
};

}  // namespace smtpscope
