// Filters as a user writes them.
#pragma once

#include "filter/filter.h"
#include "filter/parser.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace tcpflight::test {

// https is 443, http 80, ssh 22 and ftp-data 20; a user www-data, a namespace "blue", and one of process 7.
class FewNames : public Names {
public:
    [[nodiscard]] std::optional<std::uint16_t> port(const std::string &service) const override
    {
        if (service == "https")
            return std::uint16_t{443};
        if (service == "http")
            return std::uint16_t{80};
        if (service == "ssh")
            return std::uint16_t{22};
        return service == "ftp-data" ? std::optional(std::uint16_t{20}) : std::nullopt;
    }
    [[nodiscard]] Result<std::uint32_t> uid(const std::string &user) const override
    {
        if (user == "www-data")
            return 33U;
        return failure("did you mean 'www-data'?");
    }
    [[nodiscard]] Result<std::uint32_t> netns(const std::string &name) const override
    {
        if (name == "blue")
            return 4026532300U;
        return failure("/run/netns/" + name + ": No such file or directory");
    }
    [[nodiscard]] Result<std::uint32_t> netns_of(std::uint32_t pid) const override
    {
        if (pid == 7)
            return 4026532307U;
        return failure("/proc/" + std::to_string(pid) + "/ns/net: No such file or directory");
    }
};

inline Expression expression_of(std::string_view text)
{
    auto expression = parse_expression(text, FewNames());
    if (!expression)
        throw std::invalid_argument(expression.error().message);
    return *expression;
}

inline Filter filter_of(std::string_view text)
{
    return Filter(expression_of(text));
}

} // namespace tcpflight::test
