#include "model/hub/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <mutex>
#include <utility>

#include "inlay/version.hpp"
#include "model/hub/environment.hpp"
#include "model/hub/names.hpp"
#include "platform/process.hpp"

namespace inlay::model::hub {
namespace {

constexpr int most_redirects = 10;
constexpr std::size_t most_headers = 200;
constexpr long slowest = 100;  // bytes a second; slower is a stall

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// libcurl's own initialisation, which is thread-safe from 7.84 on, happens once for the process and is never undone: the host may use it
// too.
void initialise() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw Error(Status::internal, "libcurl cannot be initialised");
  });
}

struct Url {
  std::string scheme;
  std::string host;
  std::string origin;  // "https://huggingface.co:443"
};

std::optional<Url> parse(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url(::curl_url(), &::curl_url_cleanup);
  if (url == nullptr || ::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&url](CURLUPart which) {
    char* value = nullptr;
    if (::curl_url_get(url.get(), which, &value, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    const std::unique_ptr<char, decltype(&::curl_free)> owner(value, &::curl_free);
    return lower(value);
  };
  Url result{part(CURLUPART_SCHEME), part(CURLUPART_HOST), {}};
  if ((result.scheme != "http" && result.scheme != "https") || result.host.empty() || !part(CURLUPART_USER).empty()) return std::nullopt;
  result.origin = fmt::format("{}://{}:{}", result.scheme, result.host, part(CURLUPART_PORT));
  return result;
}

bool is_transient(CURLcode code) noexcept {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
  }
}

std::string_view advice(CURLcode code) noexcept {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return " (see http_proxy, https_proxy, all_proxy and no_proxy)";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return " (SSL_CERT_FILE names a file with further authorities to trust)";
    case CURLE_COULDNT_RESOLVE_HOST: return " (is there a network? HF_ENDPOINT names another hub)";
    default: return "";
  }
}

bool is_transient(int http_status) noexcept {
  constexpr std::array statuses = {408, 425, 429, 500, 502, 503, 504};
  return std::ranges::find(statuses, http_status) != statuses.end();
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = nullptr;
  ~Handle() { ::curl_easy_cleanup(curl); }
};

// One hop: what libcurl's callbacks see.
class HttpClient::Transfer {
 public:
  Transfer(CURL* curl, const HttpSink& sink, const std::stop_token& stop) : curl_(curl), sink_(sink), stop_(stop) {
    set(CURLOPT_ERRORBUFFER, reason_.data());
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_tick);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
  }
  ~Transfer() { ::curl_easy_reset(curl_); }  // which lives on with its connections: no pointer to here may stay in it
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    if (::curl_easy_setopt(curl_, option, value) != CURLE_OK) {
      throw Error(Status::internal, fmt::format("libcurl does not take its option {}", static_cast<int>(option)));
    }
  }

  CURLcode perform() {
    const platform::PipeSignalBlock no_signals;  // with CURLOPT_NOSIGNAL, libcurl leaves SIGPIPE to us
    const CURLcode code = ::curl_easy_perform(curl_);
    if (exception_) std::rethrow_exception(exception_);
    return code;
  }

  /// Of an answer without a body too.
  void begin() {
    if (std::exchange(begun_, true)) return;
    response.status = status();
    if (is_success() && sink_.begin) sink_.begin(response);
  }

  [[nodiscard]] int status() const {
    long value = 0;
    ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &value);
    return static_cast<int>(value);
  }
  [[nodiscard]] bool is_success() const { return response.status >= 200 && response.status < 300; }
  [[nodiscard]] std::string reason(CURLcode code) const { return reason_[0] == '\0' ? ::curl_easy_strerror(code) : reason_.data(); }

  HttpResponse response;

 private:
  // Runs what may throw inside a callback of C; false: it threw, and the transfer must end.
  template <class Function>
  bool guarded(Function&& function) noexcept {
    try {
      function();
      return true;
    } catch (...) {
      exception_ = std::current_exception();
      return false;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.guarded([&] { transfer.add_header({data, count}); }) ? count : 0;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const bool taken = transfer.guarded([&] {
      transfer.begin();
      if (transfer.is_success() && transfer.sink_.body) transfer.sink_.body({data, count});
    });
    return taken ? count : 0;
  }

  static int on_tick(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stop_.stop_requested() ? 1 : 0;
  }

  void add_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // an answer begins; one to CONNECT, or a 100, may have come before
      response.headers.clear();
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || response.headers.size() >= most_headers) return;
    response.headers.insert_or_assign(lower(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1))));
  }

  CURL* curl_;
  const HttpSink& sink_;
  const std::stop_token& stop_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
  std::exception_ptr exception_;
  bool begun_ = false;
};

HttpClient::HttpClient(const std::string& endpoint, std::string token, std::stop_token stop)
    : token_(std::move(token)), stop_(std::move(stop)) {
  initialise();
  const auto url = parse(endpoint);
  if (!url) throw Error(Status::invalid_argument, fmt::format("the hub's endpoint {} is not an http or https URL", in_quotes(endpoint)));
  origin_ = url->origin;
  if (std::ranges::any_of(token_, [](char c) { return c <= ' ' || c > '~'; })) {
    throw Error(Status::invalid_argument, "the hub's token holds characters that no token has");  // and is not shown
  }
  handle_ = std::make_unique<Handle>();
  handle_->curl = ::curl_easy_init();
  if (handle_->curl == nullptr) throw std::bad_alloc();
}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::send(const HttpRequest& request, const HttpSink& sink) {
  std::string url = request.url;
  std::string scheme = "http";
  std::map<std::string, std::string> collected;  // the hub's own headers, of the answers that redirected
  for (int hop = 0;; ++hop) {
    const auto failure = [&request](Status status, const std::string& reason) {
      return HttpError(status, fmt::format("cannot fetch {}: {}", request.what, reason));
    };
    const auto place = parse(url);
    if (!place) throw failure(Status::invalid_data, fmt::format("the server redirects to {}", in_quotes(url)));
    if (scheme == "https" && place->scheme != "https") {
      throw failure(Status::invalid_data, fmt::format("the server redirects to {} without encryption", place->host));
    }
    scheme = place->scheme;
    if (stop_.stop_requested()) throw Error(Status::cancelled, fmt::format("cancelled while fetching {}", request.what));

    CURL* curl = handle_->curl;
    ::curl_easy_reset(curl);  // keeps the connections
    Transfer transfer(curl, sink, stop_);
    transfer.set(CURLOPT_URL, url.c_str());
    transfer.set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    transfer.set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    transfer.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    transfer.set(CURLOPT_FOLLOWLOCATION, 0L);
    transfer.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    transfer.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    transfer.set(CURLOPT_USERAGENT, "inlay/" INLAY_VERSION_STRING);
    transfer.set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.patience.count()));
    if (request.head) {
      transfer.set(CURLOPT_NOBODY, 1L);
      transfer.set(CURLOPT_TIMEOUT, static_cast<long>(request.patience.count()));
    } else {
      transfer.set(CURLOPT_LOW_SPEED_LIMIT, slowest);
      transfer.set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.patience.count()));
    }
    const std::string range = fmt::format("{}-", request.offset);
    if (request.offset > 0) transfer.set(CURLOPT_RANGE, range.c_str());
    const auto authorities = variable("SSL_CERT_FILE");  // which OpenSSL knows and libcurl, of itself, does not
    if (authorities) transfer.set(CURLOPT_CAINFO, authorities->c_str());

    curl_slist* list = ::curl_slist_append(nullptr, "Accept-Encoding: identity");  // sizes and ranges are those of the file itself
    if (!token_.empty() && place->origin == origin_) {
      if (curl_slist* longer = ::curl_slist_append(list, fmt::format("Authorization: Bearer {}", token_).c_str())) list = longer;
    }
    const std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(list, &::curl_slist_free_all);
    transfer.set(CURLOPT_HTTPHEADER, headers.get());

    const CURLcode code = transfer.perform();
    if (code == CURLE_ABORTED_BY_CALLBACK) throw Error(Status::cancelled, fmt::format("cancelled while fetching {}", request.what));
    if (code != CURLE_OK) {
      long connect_status = 0;
      ::curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &connect_status);
      const std::string_view proxy = connect_status >= 400 ? advice(CURLE_PROXY) : advice(code);
      HttpError error = failure(Status::io_error, fmt::format("{}: {}{}", place->host, transfer.reason(code), proxy));
      error.transient = is_transient(code) && connect_status < 400;
      throw error;
    }
    transfer.begin();
    HttpResponse& response = transfer.response;

    char* next = nullptr;
    ::curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
    if (response.status >= 300 && response.status < 400 && next != nullptr) {
      url = next;
      const auto target = parse(url);
      const bool elsewhere = !target || target->origin != place->origin;
      if (!(request.head && elsewhere)) {
        if (hop == most_redirects) throw failure(Status::invalid_data, fmt::format("more than {} redirects", most_redirects));
        for (const auto& [name, value] : response.headers) {
          if (name.starts_with("x-")) collected.insert_or_assign(name, value);
        }
        continue;
      }
    } else if (!transfer.is_success()) {
      const std::string* said = response.header("x-error-message");
      const std::string* hub_code = response.header("x-error-code");
      HttpError error = failure(Status::io_error, fmt::format("{} answers {}{}", place->host, response.status,
                                                              said == nullptr ? "" : fmt::format(" {}", in_quotes(*said))));
      error.http_status = response.status;
      if (hub_code != nullptr) error.code = *hub_code;
      error.transient = is_transient(response.status);
      curl_off_t seconds = 0;
      if (::curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
        error.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, 1'000'000));
      }
      throw error;
    }
    response.headers.merge(collected);  // keeps what the last answer said itself
    return std::move(response);
  }
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

}  // namespace inlay::model::hub
