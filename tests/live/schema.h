// The JSON Schema that docs/json.md promises to users, as the judge of what tcpflight prints.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace tcpflight::test {

class Schema {
public:
    // Reads the fenced ```json block of a Markdown file. Throws std::runtime_error if there is none or it is no schema.
    static Schema from_document(const std::string &path);
    Schema(Schema &&) noexcept;
    Schema(const Schema &) = delete;
    Schema &operator=(const Schema &) = delete;
    Schema &operator=(Schema &&) = delete;
    ~Schema();

    // What is wrong with `value`; empty if nothing is.
    [[nodiscard]] std::string objections(const nlohmann::json &value) const;

private:
    struct Compiled;
    explicit Schema(std::unique_ptr<Compiled> compiled);

    std::unique_ptr<Compiled> compiled_;
};

} // namespace tcpflight::test
