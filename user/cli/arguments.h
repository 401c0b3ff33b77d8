// The command line taken apart, nothing checked yet.
#pragma once

#include "cli/flags.h"

#include <optional>
#include <string>
#include <vector>

namespace tcpflight {

struct Arguments {
    struct Given {
        FlagId flag;
        std::optional<std::string> value; // none: the command line ended where the value should be
    };
    std::vector<Given> given;          // in order
    std::vector<FlagId> assigned;      // flags that take no value and were given one: --quiet=5
    std::vector<std::string> leftover; // in order: unknown options, whole ("--prot=80"), and what is not an option
};

// As getopt_long does it: options in any order, "-vq", "-c5", "--count=5", "--" ends them; the argument after an option
// that takes a value is its value, whatever it looks like. argv[0] is skipped. Throws only std::bad_alloc.
// `for_top`: -n takes a number there, as in top(1), and elsewhere none, as in tcpdump.
Arguments split_arguments(int argc, const char *const *argv, bool for_top = false);

} // namespace tcpflight
