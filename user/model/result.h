// Errors are values. Exceptions from libraries end in cli/ and main.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace tcpflight {

struct Error {
    // One sentence for the user: names the thing, and what would be right.
    std::string message;
    // What a library said, several lines perhaps; shown with -v -v.
    std::string detail = {};
};

template <typename T> using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message, std::string detail = {})
{
    return tl::unexpected<Error>(Error{std::move(message), std::move(detail)});
}

} // namespace tcpflight
