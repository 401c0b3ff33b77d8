// Pinned worker processes that share a number of connections between them.
#pragma once

#include "histogram.h"

#include <cstdint>

namespace tcpflight::bench {

struct Job {
    unsigned workers = 1;
    std::uint64_t connections = 0;
    unsigned reset_percent = 10; // of the connections; the others end orderly, by turns from either side
    unsigned live = 1;           // connections that each worker keeps open: the oldest is ended for each new one
    double rate = 0;             // connections a second, all workers together; 0: as fast as they go
    bool latencies = false;      // of connect + accept + close; with live == 1 alone
};

struct Outcome {
    std::uint64_t connections = 0;
    std::uint64_t events = 0; // changes of state, the listeners' included
    double wall_s = 0;        // from the common start to the last worker's end
    double cpu_s = 0;         // of the workers in that time, the kernel's work for them included
    std::uint64_t behind = 0; // connections that began later than `rate` wanted, by more than 1 ms
    Histogram latency;
};

// Blocks until all are done. Throws std::system_error or std::runtime_error, also for what went wrong in a worker.
Outcome run_workers(const Job &job);

} // namespace tcpflight::bench
