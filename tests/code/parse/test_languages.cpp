// What is found in each language: sources that have most of its ways to define something, and the items as a reader of them would list them.
#include <fmt/format.h>

#include <inlay/code_parser.hpp>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "code/parse/grammars.hpp"
#include "support/catch.hpp"

using namespace inlay;

namespace {

using Lines = std::vector<std::string>;

template <class Item>
std::string line(const Item& item, std::string_view kind, std::string_view class_name) {
  std::string text = fmt::format("{} {}", kind, item.qualified_name);
  if (!class_name.empty()) text += fmt::format(" of {}", class_name);
  text += fmt::format(" {}-{}", item.line_number, item.range.line_end);
  if (!item.docstring.empty()) text += fmt::format(" \"{}\"", item.docstring);
  return text;
}

Lines functions(const ParsedFile& file) {
  Lines lines;
  for (const Function& function : file.functions) lines.push_back(line(function, "def", function.class_name));
  return lines;
}

Lines classes(const ParsedFile& file) {
  Lines lines;
  for (const Class& definition : file.classes) lines.push_back(line(definition, "class", ""));
  return lines;
}

ParsedFile parse(std::string_view source, std::string_view language, std::string file_path = {}) {
  ParsedFile file = CodeParser().parse(source, language, std::move(file_path));
  CHECK(file.notes.empty());
  CHECK(file.skipped.empty());
  CHECK(file.language == language);
  for (const Function& function : file.functions) {
    CHECK(function.source_code == source.substr(function.range.byte_begin, function.range.byte_end - function.range.byte_begin));
  }
  for (const Class& definition : file.classes) {
    CHECK(definition.source_code == source.substr(definition.range.byte_begin, definition.range.byte_end - definition.range.byte_begin));
  }
  return file;
}

}  // namespace

TEST_CASE("every kind of node that the rules name is one of its grammar") {
  REQUIRE(CodeParser::languages() == std::vector<std::string>{"bash", "c", "cpp", "csharp", "go", "java", "javascript", "kotlin", "php",
                                                              "python", "ruby", "rust", "typescript"});
  for (const code::BuiltInGrammar& grammar : code::built_in_grammars()) {
    CAPTURE(grammar.name);
    CHECK(grammar.grammar.unknown_kinds().empty());
  }
}

TEST_CASE("Python: decorated, asynchronous and nested functions, classes, bound lambdas") {
  const ParsedFile file = parse(R"(import x
@dec(1)
# a comment between decorators
@other
async def f(a, # first
      b: int = 1) -> str: # why
    r'''Raw \n doc.'''
    g = lambda x: x
    class L(Base):
        "one" ' two'
        def m(self): return 1
        # a comment that is indented as the class is
f.x = lambda: 1
h: T = (lambda y: y)
map(lambda z: z, [])
if True:
    def conditional(): pass
)",
                                "python");
  CHECK(functions(file) == Lines{"def f 5-11 \"Raw \\n doc.\"", "def f.<locals>.g 8-8", "def f.<locals>.L.m of L 11-11", "def h 14-14",
                                 "def conditional 17-17"});
  CHECK(classes(file) == Lines{"class f.<locals>.L 9-11 \"one two\""});
  CHECK(file.functions[0].name == "f");
  CHECK(file.functions[0].signature == "async def f(a, b: int = 1) -> str");
  CHECK(file.functions[0].range.line_begin == 2);
  CHECK(file.functions[0].source_code.starts_with("@dec(1)\n"));
  CHECK(file.functions[1].signature == "g = lambda x");
  CHECK(file.classes[0].signature == "class L(Base)");
}

TEST_CASE("Python: lines within brackets may be indented as they like") {
  const ParsedFile file = parse(R"py(class A:
    def f(self, # a comment (
  x):
        (bar.
    baz)
        return [bar. # ]
y, """
(
"""
]
    def g(self): pass
)py",
                                "python");
  CHECK(functions(file) == Lines{"def A.f of A 2-10", "def A.g of A 11-11"});
  CHECK(file.functions[0].signature == "def f(self, x)");
}

TEST_CASE("C: functions behind pointers, structures, what typedef names") {
  const ParsedFile file = parse(R"(/* Helps. */
static int helper(const char *name, int n)
{
  return 0;
}
struct point { int x; };
struct forward;
typedef struct { int y; } anonymous_t;
typedef struct named { int z; } alias_t;
int prototype(void);

// Gives a function.
int (*getter(int a))(int) { return 0; }
)",
                                "c");
  CHECK(functions(file) == Lines{"def helper 2-5 \"Helps.\"", "def getter 13-13 \"Gives a function.\""});
  CHECK(classes(file) == Lines{"class point 6-6", "class anonymous_t 8-8", "class named 9-9"});
  CHECK(file.functions[0].signature == "static int helper(const char *name, int n)");
}

TEST_CASE("C++: namespaces, templates, members inside and outside of their class") {
  const ParsedFile file = parse(R"(// A licence.

/// Opens sockets.
/// And closes them.
template <class T>
class net::Socket : Base {
 public:
  /** Opens. */
  bool open(const char* name) const { return true; }
  Socket() : a(1) {}
  ~Socket() {}
  Socket(const Socket&) = delete;
  operator bool() const { return a; }
  bool operator==(const Socket& other) const { return true; }
  void declared_only();
  struct Inner { int x; };
};
namespace a::b {
namespace {
int* f(int x) { auto g = [](int y) { return y; }; return nullptr; }
}
// Adds.
static inline std::vector<int>& Widget<T>::add(int a, // the first
                 int b) { }
template <> void special<int>() {}
}
extern "C" { void c_function(void) {} }
int x; // about x
void after() {}
)",
                                "cpp");
  CHECK(functions(file) == Lines{"def net::Socket::open of Socket 9-9 \"Opens.\"", "def net::Socket::Socket of Socket 10-10",
                                 "def net::Socket::~Socket of Socket 11-11", "def net::Socket::operator bool of Socket 13-13",
                                 "def net::Socket::operator== of Socket 14-14", "def a::b::f 20-20", "def a::b::f::g 20-20",
                                 "def a::b::Widget<T>::add of Widget 23-24 \"Adds.\"", "def a::b::special<int> 25-25",
                                 "def c_function 27-27", "def after 29-29"});
  CHECK(classes(file) == Lines{"class net::Socket 5-17 \"Opens sockets.\nAnd closes them.\"", "class net::Socket::Inner 16-16"});
  CHECK(file.classes[0].signature == "template <class T> class net::Socket : Base");
  CHECK(file.functions[7].signature == "static inline std::vector<int>& Widget<T>::add(int a, int b)");
}

TEST_CASE("C++: what macros hide, conversions, nested templates, lambdas of members") {
  const ParsedFile file = parse(R"(class NET_API Socket : public Base {
 public:
  Socket(int a) : a_(a) {}
  Socket() NOEXCEPT(true) {}
  int read() const NET_NOTHROW { return a_; }
};
struct NET_API NET_ALIGN(16) net::Packet final {
  std::function<int()> size = [] { return 1; };
};
class NET_API Forward;
enum class COLOR : int { RED };
struct RECT area = {1, 2};
Conv::operator int() const { return 1; }
template <class T> template <class U> void Outer<T>::Inner<std::pair<T, U>>::f() {}
void g() try { h(); } catch (...) { }
Socket::Socket(Parts parts) {
  on_close_ = [this] { close(); };
  parts.on_open = [](int) {};
  parts[0] = [] {};
}
struct { void in_unnamed() {} } unnamed;
/* class IN_COMMENT X { */ const char* s = "class IN_STRING X {";
)",
                                "cpp");
  CHECK(functions(file) == Lines{"def Socket::Socket of Socket 3-3", "def Socket::Socket of Socket 4-4", "def Socket::read of Socket 5-5",
                                 "def net::Packet::size of Packet 8-8", "def Conv::operator int of Conv 13-13",
                                 "def Outer<T>::Inner<std::pair<T, U>>::f of Inner 14-14", "def g 15-15",
                                 "def Socket::Socket of Socket 16-20", "def Socket::Socket::on_close_ 17-17",
                                 "def Socket::Socket::on_open 18-18", "def in_unnamed 21-21"});
  CHECK(classes(file) == Lines{"class Socket 1-6", "class net::Packet 7-9"});
  CHECK(file.classes[0].signature == "class Socket : public Base");
  CHECK(file.classes[0].source_code.starts_with("class NET_API Socket : public Base {"));
}

TEST_CASE("C++: words in capitals that hide nothing stay") {
  const ParsedFile file = parse(R"(struct alignas(16) VEC { int dot() { return 1; } };
struct __attribute__((packed)) HEADER { int size() { return 2; } };
#if defined(UNIT)
TEST(Suite, Name) { run(); }
#endif
#define COUNT (10)
TEST(Suite, Other) {
  run();
}
namespace n {
class B {
  static inline std::vector<int> const TABLE{1, 2, 3};
  const DWORD FLAGS{0};
  int four() { return 4; }
};
int const LIMIT{3};
int five() { return 5; }
}
decltype(auto) GET_IT(int x) { return x; }
void with_default(const Options& options = {}) {}
void after() {
  struct RECT area{1, 2};
  auto* p = new (place) NODE{1, 2};
  if (x) return;
}
)",
                                "cpp");
  CHECK(functions(file) == Lines{"def VEC::dot of VEC 1-1", "def HEADER::size of HEADER 2-2", "def TEST 4-4", "def TEST 7-9",
                                 "def n::B::four of B 14-14", "def n::five 17-17", "def GET_IT 19-19", "def with_default 20-20",
                                 "def after 21-25"});
  CHECK(classes(file) == Lines{"class VEC 1-1", "class HEADER 2-2", "class n::B 11-15"});
}

TEST_CASE("C++: unnamed types of members are none") {
  const ParsedFile file =
      parse("struct S { union { int a; float b; } u; struct { int c; } *p; void (*f)(int); };\n*slot = [] { return 1; };\n", "cpp");
  CHECK(functions(file).empty());
  CHECK(classes(file) == Lines{"class S 1-1"});
}

TEST_CASE("Java: classes in classes, records, enumerations with methods, bound lambdas") {
  const ParsedFile file = parse(R"(package com.x;
/** A class. */
@Deprecated
public class A<T> extends B {
  /**
   * Runs it.
   * @param x the x
   */
  @Override
  public int run(int x) throws E { Runnable r = () -> { x(); }; return 0; }
  A() {}
  abstract void none();
  // no documentation
  interface I { void m(); default int d() { return 1; } }
  enum Color { RED { void f() {} }; int v() { return 1; } }
  record P(int x) { P { } }
  private final Comparator<T> c = (a, b) -> a.compare(b);
}
)",
                                "java");
  CHECK(functions(file) == Lines{"def A.run of A 9-10 \"Runs it.\n@param x the x\"", "def A.run.r 10-10", "def A.A of A 11-11",
                                 "def A.I.d of I 14-14", "def A.Color.f of Color 15-15", "def A.Color.v of Color 15-15",
                                 "def A.P.P of P 16-16", "def A.c of A 17-17"});
  CHECK(classes(file) == Lines{"class A 3-18 \"A class.\"", "class A.I 14-14", "class A.Color 15-15", "class A.P 16-16"});
  CHECK(file.functions[0].signature == "@Override public int run(int x) throws E");
}

TEST_CASE("Java: anonymous classes go by what they implement; lambdas that are assigned") {
  const ParsedFile file = parse(R"(class A {
  Runnable field = new Runnable() { public void run() {} };
  void m(Parts parts) {
    use(new java.util.Map<String, Integer>.Comparator<String>() { public int compare(String a, String b) { return 0; } });
    this.handler = (a, b) -> a;
    parts.get(0).other = x -> x;
    parts.all[0] = x -> x;
    new Plain(1);
  }
  void after() {}
}
)",
                                "java");
  CHECK(functions(file) == Lines{"def A.Runnable.run of Runnable 2-2", "def A.m of A 3-9", "def A.m.Comparator.compare of Comparator 4-4",
                                 "def A.m.handler 5-5", "def A.m.other 6-6", "def A.after of A 10-10"});
}

TEST_CASE("JavaScript: functions by what they are bound to") {
  const ParsedFile file = parse(R"(/** Adds numbers. */
export function add(a, b) { function inner() {} return a + b; }
// not documentation
export default class Foo extends Bar {
  /** Does. */
  async m(x) { }
  static #p() {}
  get value() { return 1; }
  field = () => 1;
}
const f = async (a) => { }, g = function () {};
/** Doubles. */
export const h = x => x * 2;
Foo.prototype.bar = function (x) { };
module.exports.baz = () => {};
const api = { get(url) { }, post: function (u) {}, 'del': u => u, nested: { deep() {} } };
const K = class { k() {} };
foo(function named() {});
foo(() => 1);
function* gen() {}
)",
                                "javascript");
  CHECK(functions(file) == Lines{"def add 2-2 \"Adds numbers.\"", "def add.inner 2-2", "def Foo.m of Foo 6-6 \"Does.\"",
                                 "def Foo.#p of Foo 7-7", "def Foo.value of Foo 8-8", "def Foo.field of Foo 9-9", "def f 11-11",
                                 "def g 11-11", "def h 13-13 \"Doubles.\"", "def Foo.bar of Foo 14-14", "def baz 15-15",
                                 "def api.get 16-16", "def api.post 16-16", "def api.del 16-16", "def api.nested.deep 16-16",
                                 "def K.k of K 17-17", "def named 18-18", "def gen 20-20"});
  CHECK(classes(file) == Lines{"class Foo 4-10", "class K 17-17"});
  CHECK(file.functions[8].source_code == "export const h = x => x * 2;");
}

TEST_CASE("JavaScript: default exports, objects in classes, members of what is no class") {
  const ParsedFile file = parse(R"(/** Adds. */
export default function (a, b) { return a + b; }
window.f = function () {};
class A {
  x = wrap({ get() {} });
  y = { m() {}, n: () => 1 };
  m() { return { run() {} } }
}
use(class { k() {} });
function last() {}
)",
                                "javascript");
  CHECK(functions(file) == Lines{"def default 2-2 \"Adds.\"", "def window.f 3-3", "def A.get 5-5", "def A.y.m 6-6", "def A.y.n 6-6",
                                 "def A.m of A 7-7", "def A.m.run 7-7", "def k 9-9", "def last 10-10"});
  CHECK(file.functions[0].source_code == "export default function (a, b) { return a + b; }");
  CHECK(functions(parse("export default () => 1;\n", "javascript")) == Lines{"def default 1-1"});
  CHECK(functions(parse("export default (async () => 1);\n", "typescript")) == Lines{"def default 1-1"});
  const ParsedFile classed = parse("export default class { m() {} }\n", "typescript");
  CHECK(classes(classed) == Lines{"class default 1-1"});
  CHECK(functions(classed) == Lines{"def default.m of default 1-1"});
  const ParsedFile named = parse("export default (class N { m() {} });\nexport default (function g() {});\n", "javascript");
  CHECK(classes(named) == Lines{"class N 1-1"});
  CHECK(functions(named) == Lines{"def N.m of N 1-1", "def g 2-2"});
}

TEST_CASE("TypeScript: interfaces, abstract classes, namespaces; TSX by the file's ending") {
  const ParsedFile file = parse(R"(/** What there is. */
export interface I { m(): void; }
export abstract class A<T> {
  constructor(private x: T) {}
  abstract q(): void;
  private async r<U>(a: U): Promise<U> { return a; }
  p = (x: number): number => x;
}
namespace N.M { export function f(): void {} }
declare function d(): void;
export const z = <T,>(a: T): T => a;
@Component({}) export class C {
  /** Finds. */
  @In()
  m() {}
}
enum E { A }
)",
                                "typescript");
  CHECK(functions(file) == Lines{"def A.constructor of A 4-4", "def A.r of A 6-6", "def A.p of A 7-7", "def N.M.f 9-9", "def z 11-11",
                                 "def C.m of C 15-15 \"Finds.\""});
  CHECK(classes(file) == Lines{"class I 2-2 \"What there is.\"", "class A 3-8", "class C 12-16"});

  const std::string_view jsx = "export const Button: React.FC<P> = ({ x }) => <div onClick={() => x()}>hi</div>;\n";
  CHECK(functions(parse(jsx, "typescript", "button.tsx")) == Lines{"def Button 1-1"});
}

TEST_CASE("Go: methods by their receiver, grouped types") {
  const ParsedFile file = parse(R"(package p

// Stack is a stack.
type Stack[T any] struct { items []T }

type (
	// I is.
	I interface { M() }
	N int
)

// Push pushes.
func (s *Stack[T]) Push(x T) error { f := func(a int) int { return a }; return nil }
func plain() {}
var v = func() {}
)",
                                "go");
  CHECK(functions(file) ==
        Lines{"def Stack.Push of Stack 13-13 \"Push pushes.\"", "def Stack.Push.f 13-13", "def plain 14-14", "def v 15-15"});
  CHECK(classes(file) == Lines{"class Stack 4-4 \"Stack is a stack.\"", "class I 8-8 \"I is.\""});
  CHECK(file.classes[0].signature == "type Stack[T any] struct");
}

TEST_CASE("Rust: methods by their impl, attributes, documentation comments alone") {
  const ParsedFile file = parse(R"(/// A point.
#[derive(Debug)]
pub struct Point<T> { x: T }
pub struct Unit;
impl<'a, T> Display for &'a mut crate::Point<T> {
    /// Formats.
    fn fmt(&self) -> Result { let c = |x| x + 1; Ok(()) }
}
/** Has an area. */
pub trait Shape { fn area(&self) -> f64; fn name(&self) -> String { String::new() } }
// no documentation
mod m { pub async fn g<'a>(x: &'a str) {} }
enum E { A, B }
#[test]
fn t() {}
)",
                                "rust");
  CHECK(functions(file) == Lines{"def crate::Point::fmt of Point 7-7 \"Formats.\"", "def crate::Point::fmt::c 7-7",
                                 "def Shape::name of Shape 10-10", "def m::g 12-12", "def t 15-15"});
  CHECK(classes(file) == Lines{"class Point 3-3 \"A point.\"", "class Unit 4-4", "class Shape 10-10 \"Has an area.\"", "class E 13-13"});
  CHECK(file.classes[0].source_code == "#[derive(Debug)]\npub struct Point<T> { x: T }");
}

TEST_CASE("C#: namespaces of both forms, operators, local functions, XML documentation") {
  const ParsedFile file = parse(R"(using System;
namespace X.Y;
/// <summary>
/// Does <see cref="Foo"/> things.
/// </summary>
[Serializable]
public class C<T> : B {
  public C(int x) : base(x) { }
  ~C() { }
  public static C operator +(C a, C b) => a;
  public int P { get; set; }
  int M<U>(U u) => 1;
  void Outer() { int Local(int q) { return q; } Func<int,int> f = x => x + 1; }
  interface I { void N(); }
  struct S { }
  record R(int A);
}
)",
                                "csharp");
  CHECK(functions(file) == Lines{"def X.Y.C.C of C 8-8", "def X.Y.C.~C of C 9-9", "def X.Y.C.operator + of C 10-10",
                                 "def X.Y.C.M of C 12-12", "def X.Y.C.Outer of C 13-13", "def X.Y.C.Outer.Local 13-13",
                                 "def X.Y.C.Outer.f 13-13"});
  CHECK(classes(file) ==
        Lines{"class X.Y.C 6-17 \"Does Foo things.\"", "class X.Y.C.I 14-14", "class X.Y.C.S 15-15", "class X.Y.C.R 16-16"});
  CHECK(functions(parse("namespace A { namespace B { class C { void M() {} } } }", "csharp")) == Lines{"def A.B.C.M of C 1-1"});
}

TEST_CASE("C#: lambdas of properties and members") {
  const ParsedFile file = parse(R"(class A {
  Func<int> G { get; } = () => 2;
  int P { get; set; } = 3;
  void M() { this.c = (a, b) => a; d = delegate (int x) { return x; }; button.Click += (s, e) => { }; list[0] = x => x; }
}
)",
                                "csharp");
  CHECK(functions(file) == Lines{"def A.G of A 2-2", "def A.M of A 4-4", "def A.M.c 4-4", "def A.M.d 4-4", "def A.M.Click 4-4"});
}

TEST_CASE("Ruby: classes and functions that calls make") {
  const ParsedFile file = parse(R"(# A point.
Point = Struct.new(:x, :y) do
  # Adds.
  def add(other); end
end
Error = ::Class.new(StandardError) { def code = 1 }
Alone = Struct.new(:a)
double = lambda { |x| x * 2 }
half = proc do |x|
  x / 2
end
@same = ->(x) { x }
other = each { |x| x }
)",
                                "ruby");
  CHECK(functions(file) == Lines{"def Point::add of Point 4-4 \"Adds.\"", "def Error::code of Error 6-6", "def double 8-8", "def half 9-11",
                                 "def same 12-12"});
  CHECK(classes(file) == Lines{"class Point 2-5 \"A point.\"", "class Error 6-6"});
  CHECK(file.classes[0].signature == "Point = Struct.new(:x, :y)");
  CHECK(file.functions[3].signature == "half = proc");
}

TEST_CASE("Ruby: modules, class methods, methods without a body") {
  const ParsedFile file = parse(R"(# A module.
module M
  # A class.
  class A::B < C
    # Runs.
    def run(x, y = 1)
    end
    def self.make; new; end
    class << self
      def meta = 1
    end
    L = ->(x) { x }
    attr_reader :z
  end
end
def top?; end
)",
                                "ruby");
  CHECK(functions(file) == Lines{"def M::A::B::run of B 6-7 \"Runs.\"", "def M::A::B::make of B 8-8", "def M::A::B::meta of B 10-10",
                                 "def M::A::B::L of B 12-12", "def top? 16-16"});
  CHECK(classes(file) == Lines{"class M 2-15 \"A module.\"", "class M::A::B 4-14 \"A class.\""});
}

TEST_CASE("PHP: namespaces, traits, enumerations with methods, bound functions") {
  const ParsedFile file = parse(R"(<?php
namespace App\Models;
/** A user. */
#[Entity]
final class User extends Base implements I {
    /** Gets. */
    public function get(int $id): ?self { return null; }
    abstract function none();
}
function helper($x) { $f = function ($y) use ($x) { return $y; }; $g = fn($z) => $z; }
interface I { function a(); }
trait T { function t() {} }
enum Suit: string { case A = 'a'; function label(): string { return ''; } }
)",
                                "php");
  CHECK(functions(file) == Lines{"def App\\Models\\User::get of User 7-7 \"Gets.\"", "def App\\Models\\helper 10-10",
                                 "def App\\Models\\helper::f 10-10", "def App\\Models\\helper::g 10-10", "def App\\Models\\T::t of T 12-12",
                                 "def App\\Models\\Suit::label of Suit 13-13"});
  CHECK(classes(file) == Lines{"class App\\Models\\User 4-9 \"A user.\"", "class App\\Models\\I 11-11", "class App\\Models\\T 12-12",
                               "class App\\Models\\Suit 13-13"});
}

TEST_CASE("PHP: anonymous classes, functions of members") {
  const ParsedFile file = parse(R"(<?php
class A {
    function m() {
        $this->f = function ($x) { return $x; };
        self::$g = fn($y) => $y;
        $all['h'] = fn($z) => $z;
        return new class extends \Base\Handler implements I { function run() {} };
    }
    function after() { return new class { function alone() {} }; }
}
)",
                                "php");
  CHECK(functions(file) == Lines{"def A::m of A 3-8", "def A::m::f 4-4", "def A::m::g 5-5", "def A::m::Handler::run of Handler 7-7",
                                 "def A::after of A 9-9", "def A::after::alone 9-9"});
}

TEST_CASE("Kotlin: secondary constructors, object expressions, lambdas that are assigned") {
  const ParsedFile file = parse(R"(class A : B {
    constructor(x: Int) : this() {
        y()
    }
    constructor(z: String) : super(z)
    val r = object : a.b.Base<Int>(1), Closeable {
        override fun run() {}
    }
    fun m() {
        this.c = { x: Int -> x }
        table[0] = { x: Int -> x }
        a.b["k"] = { 1 }
        use(object { fun q() {} })
    }
}
)",
                                "kotlin");
  CHECK(functions(file) ==
        Lines{"def A.constructor of A 2-4", "def A.Base.run of Base 7-7", "def A.m of A 9-14", "def A.m.c 10-10", "def A.m.q 13-13"});
}

TEST_CASE("Kotlin: objects, companions, extensions, functions with an expression as body") {
  const ParsedFile file = parse(R"(package x
/** A thing. */
@Ann
data class A(val x: Int) : B() {
    /** Runs. */
    suspend fun run(y: Int = 1): Int { fun local() {} ; return y }
    companion object { fun make() = A(1) }
    fun expression() = 1
}
interface I { fun m(); fun d() { } }
object O { val f = { x: Int -> x + 1 } }
enum class E { A; fun q() = 1 }
fun String.extended(): Int = 1
)",
                                "kotlin");
  CHECK(functions(file) == Lines{"def A.run of A 6-6 \"Runs.\"", "def A.run.local 6-6", "def A.Companion.make of Companion 7-7",
                                 "def A.expression of A 8-8", "def I.d of I 10-10", "def O.f of O 11-11", "def E.q of E 12-12",
                                 "def extended 13-13"});
  CHECK(classes(file) == Lines{"class A 3-9 \"A thing.\"", "class I 10-10", "class O 11-11", "class E 12-12"});
  CHECK(file.classes[3].signature == "enum class E");
}

TEST_CASE("Bash: both forms of functions; the first line is no documentation") {
  const ParsedFile file = parse(R"(#!/bin/bash
# Prints help.
# Twice.
usage() {
  echo hi
}
function other { :; }
)",
                                "bash");
  CHECK(functions(file) == Lines{"def usage 4-6 \"Prints help.\nTwice.\"", "def other 7-7"});
  CHECK(file.functions[1].signature == "function other");
}
