// HTTP by libcurl: one request at a time, redirects followed by our own rules, answers and failures as values that the caller can act on.
// The only files that know libcurl are these two.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "inlay/error.hpp"

namespace inlay::model::hub {

/// A request that failed. What the caller can do about it is in the fields; the message is one for the user.
class HttpError : public Error {
 public:
  HttpError(Status status, const std::string& message) : Error(status, message) {}

  int http_status = 0;                                ///< of the server's answer; 0: there was none
  std::string code{};                                 ///< the hub's X-Error-Code: "RepoNotFound", "EntryNotFound", "GatedRepo", ...
  bool transient = false;                             ///< trying again may help
  std::optional<std::chrono::seconds> retry_after{};  ///< what the server asks for
};

struct HttpRequest {
  std::string url{};
  std::string what{};                 ///< how messages name it: a file, a model
  bool head = false;                  ///< HEAD instead of GET; then a redirect to another origin is not followed but is the answer
  std::uint64_t offset = 0;           ///< ask for the bytes from here on (Range)
  std::chrono::seconds patience{10};  ///< of a HEAD: for all; of a GET: for a connection, and with next to no bytes arriving
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers{};  ///< of the last answer, and X-... of those before; names in lower case

  [[nodiscard]] const std::string* header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? nullptr : &found->second;
  }
};

/// Receives a successful answer: first what is known before the body, then the body in pieces. What they throw ends the request.
struct HttpSink {
  std::function<void(const HttpResponse&)> begin{};
  std::function<void(std::string_view)> body{};
};

class HttpClient {
 public:
  /// `token` is sent as a bearer token to the origin (scheme, host and port) of `endpoint`, and nowhere else. Throws Error
  /// (invalid_argument) when either cannot be one.
  HttpClient(const std::string& endpoint, std::string token, std::stop_token stop);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Throws HttpError; Error (cancelled) when a stop is requested; what the sink throws.
  HttpResponse send(const HttpRequest& request, const HttpSink& sink = {});

 private:
  class Transfer;
  struct Handle;

  std::unique_ptr<Handle> handle_;
  std::string origin_;
  std::string token_;
  std::stop_token stop_;
};

/// A part of a URL's path: all but letters, digits and "-._~" as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace inlay::model::hub
