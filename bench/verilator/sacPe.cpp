// Runs the Verilator build of rtl/verilog/sac_pe.v as fast as it goes: every word and window is there when its port is
// ready, every output is taken. One run brings the PE from reset to its last output; CPU seconds are those of the
// best of several runs, without reading the file.
//
//   sac_pe STIMULUS ROUNDS [OUTPUTS]
//
// STIMULUS: 32-bit little-endian numbers. Heads are {units, lanes, words, windows, outputs per unit}, then of each
// stream (unit-major) the count of its words, of each lane the count of its windows; then all words, padded to
// ceil(bits / 32) numbers each and moved to their bit of the port; then all windows, likewise. A stream starts over
// after its last word: all outputs are of the same words.
//
// Prints {cycles, CPU seconds of a run, CPU seconds of its feeding alone}. The last is measured by feeding the same words
// and windows in the same cycles again, without a PE. OUTPUTS gets the values of the first run, as 64-bit numbers in
// the order of unit and output.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>
#include "Vsac_pe.h"
#include "verilated.h"

namespace {

// Of the build: see build.ts.
constexpr unsigned UNITS = SAC_UNITS;
constexpr unsigned LANES = SAC_LANES;
constexpr unsigned WORD_BITS = SAC_WORD_BITS;
constexpr unsigned WINDOW_BITS = SAC_WINDOW_BITS;
constexpr unsigned SUM_BITS = SAC_SUM_BITS;
constexpr unsigned STREAMS = UNITS * LANES;
constexpr unsigned WORD_PLACES = (WORD_BITS + 62) / 32;
constexpr unsigned WINDOW_PLACES = (WINDOW_BITS + 31) / 32;
static_assert(WINDOW_BITS % 32 == 0, "windows are copied whole");
constexpr unsigned long PATIENCE = 1u << 24;

double cpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "sac_pe: %s\n", what);
  std::exit(1);
}

// Ports of any width, as 32-bit numbers.
template <class Port> std::uint32_t* numbers(Port& port) { return reinterpret_cast<std::uint32_t*>(&port); }

// A flag port of `bits` bits, 64 at a time.
template <class Port> std::uint64_t flags(const Port& port, unsigned from, unsigned bits) {
  std::uint64_t mask = 0;
  __builtin_memcpy(&mask, reinterpret_cast<const char*>(&port) + from / 8, (std::min(bits - from, 64u) + 7) / 8);
  return mask;
}

struct Queue {
  const std::uint32_t* first;
  const std::uint32_t* next;
  const std::uint32_t* end;
};

struct Stimulus {
  std::vector<std::uint32_t> file;
  std::uint32_t outputs;
  Queue words[STREAMS];
  Queue windows[LANES];

  explicit Stimulus(const char* path) {
    std::FILE* f = std::fopen(path, "rb");
    if (!f) fail("cannot open the stimulus");
    std::fseek(f, 0, SEEK_END);
    file.resize(std::ftell(f) / 4);
    std::rewind(f);
    if (std::fread(file.data(), 4, file.size(), f) != file.size()) fail("cannot read the stimulus");
    std::fclose(f);
    if (file[0] != UNITS || file[1] != LANES) fail("the stimulus is for another PE");
    outputs = file[4];
    const std::uint32_t* counts = &file[5];
    const std::uint32_t* at = counts + STREAMS + LANES;
    for (unsigned i = 0; i < STREAMS; i++) words[i] = take(at, counts[i] * WORD_PLACES);
    for (unsigned l = 0; l < LANES; l++) windows[l] = take(at, counts[STREAMS + l] * WINDOW_PLACES);
    if (at != file.data() + file.size()) fail("the stimulus has another length");
  }

  static Queue take(const std::uint32_t*& at, std::size_t numbers) {
    const Queue queue{at, at, at + numbers};
    at += numbers;
    return queue;
  }

  void restart() {
    for (Queue& q : words) q.next = q.first;
    for (Queue& q : windows) q.next = q.first;
  }
};

// Writes the next word of stream i to its bits of the port. Bits of neighbours stay.
inline void putWord(std::uint32_t* port, Queue& queue, unsigned i) {
  const unsigned from = i * WORD_BITS;
  const unsigned last = from + WORD_BITS - 1;
  std::uint32_t* place = port + from / 32;
  const unsigned places = last / 32 - from / 32;
  const std::uint32_t* word = queue.next;
  const std::uint32_t lowest = ~0u << (from % 32);
  const std::uint32_t highest = ~0u >> (31 - last % 32);
  place[0] = (place[0] & ~lowest) | word[0];
  for (unsigned k = 1; k < places; k++) place[k] = word[k];
  place[places] = (place[places] & ~highest) | word[places];
  queue.next += WORD_PLACES;
  if (queue.next == queue.end) queue.next = queue.first;
}

// Feeds what the ports took in this cycle. Returns whether all ports have something to offer.
template <class WordPort, class WindowPort, class WindowValid>
inline void feed(Stimulus& s, const std::uint64_t* wordsTaken, const std::uint64_t* windowsTaken, WordPort& words,
                 WindowPort& windows, WindowValid& windowValid) {
  for (unsigned from = 0; from < STREAMS; from += 64)
    for (std::uint64_t m = wordsTaken[from / 64]; m; m &= m - 1) {
      const unsigned i = from + __builtin_ctzll(m);
      putWord(numbers(words), s.words[i], i);
    }
  for (std::uint64_t m = windowsTaken[0]; m; m &= m - 1) {
    const unsigned l = __builtin_ctzll(m);
    Queue& q = s.windows[l];
    if (q.next == q.end) {
      windowValid &= ~(WindowValid(1) << l);
      continue;
    }
    std::copy_n(q.next, WINDOW_PLACES, numbers(windows) + l * WINDOW_PLACES);
    q.next += WINDOW_PLACES;
  }
}

constexpr unsigned MASKS = (STREAMS + 63) / 64;

template <class Port> void allOnes(Port& port, unsigned bits) {
  for (unsigned i = 0; i < bits; i++) reinterpret_cast<std::uint8_t*>(&port)[i / 8] |= 1u << (i % 8);
}

struct Run {
  unsigned long cycles = 0;
  std::vector<std::int64_t> values;
  // What the ports took in each cycle: MASKS of words and one of windows.
  std::vector<std::uint64_t> taken;
};

std::int64_t outputOf(const std::uint32_t* port, unsigned unit) {
  const unsigned from = unit * SUM_BITS;
  unsigned __int128 bits = 0;
  for (unsigned k = 0; k < 3 && (from / 32 + k) * 32 < UNITS * SUM_BITS; k++)
    bits |= static_cast<unsigned __int128>(port[from / 32 + k]) << (32 * k);
  const std::uint64_t value = static_cast<std::uint64_t>(bits >> (from % 32));
  return static_cast<std::int64_t>(value << (64 - SUM_BITS)) >> (64 - SUM_BITS);
}

// From reset to the last output. `record` keeps what was taken.
void run(Vsac_pe& pe, Stimulus& s, Run& result, bool record) {
  s.restart();
  pe.clk = 0;
  pe.rst = 1;
  pe.window_valid = 0;
  pe.eval();
  pe.clk = 1;
  pe.eval();
  pe.clk = 0;
  pe.rst = 0;
  allOnes(pe.window_valid, LANES);
  std::uint64_t taken[MASKS + 1];
  const auto look = [&] {
    for (unsigned from = 0; from < STREAMS; from += 64) taken[from / 64] = flags(pe.word_ready, from, STREAMS);
    taken[MASKS] = flags(pe.window_ready, 0, LANES) & flags(pe.window_valid, 0, LANES);
  };
  // What stands at the ports of the first cycle.
  for (unsigned i = 0; i < MASKS; i++) taken[i] = STREAMS % 64 && i == MASKS - 1 ? (1ull << STREAMS % 64) - 1 : ~0ull;
  taken[MASKS] = LANES < 64 ? (1ull << LANES) - 1 : ~0ull;
  std::vector<unsigned> given(UNITS, 0);
  unsigned left = UNITS * s.outputs;
  unsigned long cycle = 0;
  for (;; cycle++) {
    if (record) result.taken.insert(result.taken.end(), taken, taken + MASKS + 1);
    feed(s, taken, taken + MASKS, pe.word_data, pe.window_data, pe.window_valid);
    pe.eval();
    look();
    for (std::uint64_t m = flags(pe.out_valid, 0, UNITS); m; m &= m - 1) {
      const unsigned n = __builtin_ctzll(m);
      result.values[n * s.outputs + given[n]++] = outputOf(numbers(pe.out_value), n);
      left--;
    }
    if (left == 0) break;
    if (cycle == PATIENCE) fail("the outputs do not come");
    pe.clk = 1;
    pe.eval();
    pe.clk = 0;
  }
  result.cycles = cycle;
}

// The feeding of a run alone, to ports of the same kind.
void feedAgain(Vsac_pe& pe, Stimulus& s, const Run& recorded) {
  s.restart();
  for (std::size_t at = 0; at < recorded.taken.size(); at += MASKS + 1) {
    feed(s, &recorded.taken[at], &recorded.taken[at + MASKS], pe.word_data, pe.window_data, pe.window_valid);
    // The port is read by somebody.
    asm volatile("" ::: "memory");
  }
}

}  // namespace

int main(int count, char** given) {
  if (count < 3) fail("STIMULUS ROUNDS [OUTPUTS]");
  const auto context = std::make_unique<VerilatedContext>();
  const auto pe = std::make_unique<Vsac_pe>(context.get());
  Stimulus stimulus(given[1]);
  Run first;
  first.values.resize(UNITS * stimulus.outputs);
  // Bits of inputs that nobody sets are zero; no unit is held.
  std::memset(&pe->unit_hold, 0, sizeof pe->unit_hold);
  allOnes(pe->unit_active, UNITS);
  allOnes(pe->lane_active, LANES);
  allOnes(pe->word_valid, STREAMS);
  allOnes(pe->out_ready, UNITS);
  run(*pe, stimulus, first, true);
  if (count > 3) {
    std::FILE* f = std::fopen(given[3], "wb");
    if (!f || std::fwrite(first.values.data(), 8, first.values.size(), f) != first.values.size() || std::fclose(f))
      fail("cannot write the outputs");
  }
  double seconds = 1e9;
  double feeding = 1e9;
  Run again = first;
  for (int round = std::atoi(given[2]); round > 0; round--) {
    double from = cpuSeconds();
    run(*pe, stimulus, again, false);
    seconds = std::min(seconds, cpuSeconds() - from);
    from = cpuSeconds();
    feedAgain(*pe, stimulus, first);
    feeding = std::min(feeding, cpuSeconds() - from);
    if (again.cycles != first.cycles || again.values != first.values) fail("two runs differ");
  }
  std::printf("%lu %.9f %.9f\n", first.cycles, seconds, feeding);
  return 0;
}
