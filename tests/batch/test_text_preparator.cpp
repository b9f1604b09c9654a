#include <inlay/text_preparator.hpp>

#include "support/catch.hpp"

using namespace inlay;

namespace {
const Document authenticate = {
    "def authenticate_user(username, password): ...",
    {.file_type = "python", .language = "python", .function_name = "authenticate_user", .class_name = "AuthManager"}};
}

TEST_CASE("a document gets one tag each for file type and language, then its function") {
  CHECK(TextPreparator{}(authenticate) == "[PYTHON] [PYTHON] Function: authenticate_user def authenticate_user(username, password): ...");
}

TEST_CASE("the class stands where there is no function name") {
  Document document = authenticate;
  document.metadata.function_name.clear();
  CHECK(TextPreparator{}(document) == "[PYTHON] [PYTHON] Class: AuthManager def authenticate_user(username, password): ...");
}

TEST_CASE("a document without metadata is its content, and an empty one is empty") {
  CHECK(TextPreparator{}(Document{"x = 1", {}}) == "x = 1");
  CHECK(TextPreparator{}(Document{}).empty());
  CHECK(TextPreparator{}(Document{"", {.language = "go"}}) == "[GO]");
}

TEST_CASE("each part can be switched off") {
  CHECK(TextPreparator{{.file_type = false}}(authenticate) ==
        "[PYTHON] Function: authenticate_user def authenticate_user(username, password): ...");
  CHECK(TextPreparator{{.file_type = false, .language = false, .function_name = false}}(authenticate) ==
        "Class: AuthManager def authenticate_user(username, password): ...");
  CHECK(TextPreparator{{.file_type = false, .language = false, .function_name = false, .class_name = false}}(authenticate) ==
        authenticate.content);
  CHECK(TextPreparator{{.file_type = false, .language = false, .file_name = true}}({"x", {.file_name = "auth.py"}}) == "File: auth.py x");
}

TEST_CASE("only ASCII letters are put in upper case, whatever the locale") {
  CHECK(TextPreparator{}({"x", {.language = "çpp"}}) == "[çPP] x");
}

TEST_CASE("each query type has its prefix") {
  CHECK(TextPreparator::prepare_query("q", QueryType::general) == "q");
  CHECK(TextPreparator::prepare_query("q", QueryType::code_search) == "Code search: q");
  CHECK(TextPreparator::prepare_query("q", QueryType::error_analysis) == "Error analysis: q");
  CHECK(TextPreparator::prepare_query("q", QueryType::documentation) == "Documentation: q");
}
