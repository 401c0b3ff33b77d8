// A command line as a table row.
#pragma once

#include "cli/options.h"
#include "filter/quote.h"

#include <ostream>
#include <string>
#include <vector>

namespace tcpflight::test {

using Words = std::vector<std::string>;

inline Command parse(const Words &words, const Surroundings &surroundings = {})
{
    std::vector<const char *> argv{"tcpflight"};
    for (const std::string &word : words)
        argv.push_back(word.c_str());
    argv.push_back(nullptr);
    return parse_command_line(static_cast<int>(argv.size()) - 1, argv.data(), surroundings);
}

// For the names of tests.
inline std::string join(const Words &words)
{
    std::string result;
    for (const std::string &word : words) {
        bool is_plain = !word.empty() && word.find_first_of(" ,[]{};'\"\\") == std::string::npos;
        result += (result.empty() ? "" : " ") + (is_plain ? escape(word) : quote(word));
    }
    return result;
}

} // namespace tcpflight::test
