// Where texts of each language divide. Grown from langchain-text-splitters' lists, whose regular expressions became strings; added to them:
// definitions that are indented or have modifiers, sentences in prose, and languages that it lacks.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "inlay/text_splitter.hpp"

namespace inlay {
namespace {

using List = std::span<const std::string_view>;

// What every list ends with.
constexpr std::array<std::string_view, 5> lines = {"\n\n", "\r\n\r\n", "\n", " ", ""};

template <std::size_t count>
constexpr auto then_lines(const std::string_view (&separators)[count]) {
  std::array<std::string_view, count + lines.size()> list;
  std::ranges::copy(lines, std::ranges::copy(separators, list.begin()).out);
  return list;
}

constexpr auto prose =
    std::to_array<std::string_view>({"\n\n", "\r\n\r\n", "\n", ". ", "! ", "? ", "。", "！", "？", "; ", ", ", "，", "、", " ", ""});
constexpr auto bash = then_lines({"\nfunction ", "\n}\n", "\nif ", "\nfor ", "\nwhile ", "\nuntil ", "\ncase "});
constexpr auto c = then_lines({"\n}\n", "\nstruct ", "\nunion ", "\nenum ", "\ntypedef ", "\nstatic ", "\nvoid ", "\nint ", "\nfloat ",
                               "\ndouble ", "\n#if", "\n  if ", "\n  for ", "\n  while ", "\n  switch ", "\n    case "});
constexpr auto cpp = then_lines({"\nnamespace ", "\nclass ",   "\nstruct ", "\nenum ",  "\ntemplate ", "\ntemplate<", "\n}\n",
                                 "\nstatic ",    "\nvoid ",    "\nint ",    "\nfloat ", "\ndouble ",   "\n public:",  "\n private:",
                                 "\npublic:",    "\nprivate:", "\n  if ",   "\n  for ", "\n  while ",  "\n  switch ", "\n    case "});
constexpr auto cobol =
    then_lines({"\nIDENTIFICATION DIVISION.", "\nENVIRONMENT DIVISION.", "\nDATA DIVISION.", "\nPROCEDURE DIVISION.",
                "\nWORKING-STORAGE SECTION.", "\nLINKAGE SECTION.", "\nFILE SECTION.", "\nINPUT-OUTPUT SECTION.", "\nOPEN ", "\nCLOSE ",
                "\nREAD ", "\nWRITE ", "\nIF ", "\nELSE ", "\nMOVE ", "\nPERFORM ", "\nACCEPT ", "\nDISPLAY ", "\nSTOP RUN."});
constexpr auto csharp =
    then_lines({"\nnamespace ",         "\ninterface ",       "\nclass ",          "\npublic ",     "\ninternal ",
                "\nabstract ",          "\n    interface ",   "\n    enum ",       "\n    class ",  "\n    public ",
                "\n    protected ",     "\n    internal ",    "\n    private ",    "\n    static ", "\n        public ",
                "\n        protected ", "\n        private ", "\n        static ", "\n        if ", "\n        foreach ",
                "\n        for ",       "\n        while ",   "\n        switch ", "\n        try "});
constexpr auto css = then_lines({"\n@media ", "\n@", "\n/*", "}\n", "}"});
constexpr auto dart = then_lines({"\nclass ", "\nabstract class ", "\nmixin ", "\nextension ", "\nenum ", "\nvoid ", "\n  @override",
                                  "\n  Future", "\n  void ", "\n  }\n", "\n    if ", "\n    for "});
constexpr auto elixir = then_lines({"\ndefmodule ", "\ndefprotocol ", "\n  def ", "\n  defp ", "\n  defmacro ", "\n  defmacrop ", "\ndef ",
                                    "\n    if ", "\n    case ", "\n    cond ", "\n    with ", "\n    for "});
constexpr auto go =
    then_lines({"\nfunc ", "\ntype ", "\nvar ", "\nconst ", "\n\tif ", "\n\tfor ", "\n\tswitch ", "\n\tselect ", "\n\tcase "});
constexpr auto haskell = then_lines({"\nmodule ", "\nimport ", "\nclass ", "\ninstance ", "\ndata ", "\nnewtype ", "\ntype ",
                                     "\nmain :: ", "\nmain = ", "\n  where", "\n  let ", "\n  in ", "\n  do ", "\n  case ", "\n  | "});
constexpr auto html = std::to_array<std::string_view>(
    {"<head", "<body",  "<header", "<nav",  "<main",  "<section", "<article", "<footer", "<h1", "<h2", "<h3", "<h4",
     "<h5",   "<h6",    "<table",  "<ul",   "<ol",    "<div",     "<p",       "<tr",     "<li", "<td", "<th", "<br",
     "<span", "<style", "<script", "<meta", "<title", "\n\n",     "\r\n\r\n", "\n",      " ",   ""});
constexpr auto java =
    then_lines({"\nclass ",         "\ninterface ",      "\nenum ",          "\nrecord ",          "\npublic ",     "\nabstract ",
                "\nfinal ",         "\n    public ",     "\n    protected ", "\n    private ",     "\n    static ", "\n    @",
                "\n  public ",      "\n  protected ",    "\n  private ",     "\n  static ",        "\n        if ", "\n        for ",
                "\n        while ", "\n        switch ", "\n        try ",   "\n            case "});
constexpr auto javascript =
    then_lines({"\nexport ", "\nclass ", "\nfunction ", "\nasync function ", "\nconst ", "\nlet ", "\nvar ", "\n  async ", "\n  static ",
                "\n  }\n", "\n    }\n", "\n  if ", "\n  for ", "\n  while ", "\n  switch ", "\n  case ", "\n  default"});
constexpr auto julia = then_lines({"\nmodule ", "\nstruct ", "\nmutable struct ", "\nabstract type ", "\nfunction ", "\nmacro ", "\nconst ",
                                   "\n    if ", "\n    for ", "\n    while ", "\n    try"});
constexpr auto kotlin =
    then_lines({"\nclass ",    "\ndata class ",   "\ninterface ",  "\nobject ",        "\nfun ",           "\npublic ",
                "\ninternal ", "\nprivate ",      "\nval ",        "\nvar ",           "\n    class ",     "\n    companion ",
                "\n    fun ",  "\n    override ", "\n    public ", "\n    protected ", "\n    private ",   "\n    internal ",
                "\n    val ",  "\n    var ",      "\n        if ", "\n        for ",   "\n        while ", "\n        when "});
constexpr auto latex =
    std::to_array<std::string_view>({"\n\\part", "\n\\chapter", "\n\\section", "\n\\subsection", "\n\\subsubsection", "\n\\paragraph",
                                     "\n\\begin{", "\n\\item", "\n\n", "\r\n\r\n", "\n", ". ", "! ", "? ", "$$", " ", ""});
constexpr auto lua = then_lines({"\nfunction ", "\nlocal function ", "\nlocal ", "\n  if ", "\n  for ", "\n  while ", "\n  repeat"});
constexpr auto markdown = std::to_array<std::string_view>(
    {"\n# ", "\n## ", "\n### ", "\n#### ", "\n##### ", "\n###### ", "\n```", "\n***\n", "\n---\n", "\n___\n", "\n\n", "\r\n\r\n",
     "\n- ", "\n* ",  "\n",     ". ",      "! ",       "? ",        "。",    "！",      "？",      " ",       ""});
constexpr auto perl = then_lines({"\npackage ", "\nsub ", "\n=head", "\nmy ", "\nour ", "\n    if ", "\n    for", "\n    while "});
constexpr auto php = then_lines({"\nnamespace ", "\nclass ", "\nabstract class ", "\nfinal class ", "\ninterface ", "\ntrait ", "\nenum ",
                                 "\nfunction ", "\n    public ", "\n    protected ", "\n    private ", "\n    function ", "\n        if ",
                                 "\n        foreach ", "\n        for ", "\n        while ", "\n        switch ", "\n            case "});
constexpr auto powershell = then_lines(
    {"\nclass ", "\nfunction ", "\nparam", "\nif ", "\nforeach ", "\nfor ", "\nwhile ", "\nswitch ", "\ntry ", "\ncatch ", "\nfinally "});
constexpr auto protobuf =
    then_lines({"\nservice ", "\nmessage ", "\nenum ", "\noption ", "\nimport ", "\nsyntax ", "\n  rpc ", "\n  message "});
constexpr auto python =
    then_lines({"\nclass ", "\nasync def ", "\ndef ", "\n    async def ", "\n    def ", "\n\tasync def ", "\n\tdef ", "\n  def ", "\nif ",
                "\n    if ", "\n    for ", "\n    while ", "\n    with ", "\n    try:", "\n        if ", "\n        for "});
constexpr auto r = then_lines(
    {"\nsetClass(", "\nsetGeneric(", "\nsetMethod(", "\nlibrary(", "\nrequire(", "\n}\n", "\nif ", "\nfor ", "\nwhile ", "\nrepeat "});
constexpr auto restructuredtext = std::to_array<std::string_view>(
    {"\n====", "\n----", "\n****", "\n~~~~", "\n^^^^", "\n.. ", "\n\n", "\r\n\r\n", "\n", ". ", "! ", "? ", " ", ""});
constexpr auto ruby = then_lines({"\nmodule ", "\nclass ", "\n  class ", "\ndef ", "\n  def ", "\n    def ", "\nif ", "\n    if ",
                                  "\n    unless ", "\n    while ", "\n    for ", "\n    case ", "\n    begin", "\n    rescue"});
constexpr auto rust =
    then_lines({"\nmod ",     "\npub mod ", "\nimpl",       "\npub struct ", "\nstruct ",   "\npub enum ",  "\nenum ",       "\npub trait ",
                "\ntrait ",   "\npub fn ",  "\nfn ",        "\npub ",        "\nconst ",    "\nstatic ",    "\n    pub fn ", "\n    fn ",
                "\n    let ", "\n    if ",  "\n    while ", "\n    for ",    "\n    loop ", "\n    match ", "\n        let "});
constexpr auto scala = then_lines({"\nclass ", "\ncase class ", "\ntrait ", "\nobject ", "\ndef ", "\nval ", "\nvar ", "\n  class ",
                                   "\n  case class ", "\n  object ", "\n  def ", "\n  override ", "\n  private ", "\n  val ", "\n  var ",
                                   "\n    if ", "\n    for ", "\n    while ", "\n    case "});
constexpr auto solidity = then_lines({"\npragma ", "\nimport ", "\ncontract ", "\ninterface ", "\nlibrary ", "\n    constructor",
                                      "\n    function ", "\n    event ", "\n    modifier ", "\n    error ", "\n    struct ", "\n    enum ",
                                      "\n        if ", "\n        for ", "\n        while "});
constexpr auto sql = then_lines({"\nCREATE ", "\nALTER ",  "\nDROP ",  "\nINSERT ",   "\nUPDATE ",   "\nDELETE ",   "\nWITH ",
                                 "\nSELECT ", "\ncreate ", "\nalter ", "\ndrop ",     "\ninsert ",   "\nupdate ",   "\ndelete ",
                                 "\nwith ",   "\nselect ", ";\n",      "\nFROM ",     "\nWHERE ",    "\nGROUP BY ", "\nORDER BY ",
                                 "\nUNION",   "\nfrom ",   "\nwhere ", "\ngroup by ", "\norder by ", "\nunion",     "; "});
constexpr auto swift = then_lines({"\nclass ",         "\nstruct ",      "\nenum ",          "\nprotocol ",       "\nextension ",
                                   "\nfunc ",          "\npublic ",      "\nprivate ",       "\n    public ",     "\n    private ",
                                   "\n    override ",  "\n    static ",  "\n    init",       "\n    func ",       "\n        if ",
                                   "\n        guard ", "\n        for ", "\n        while ", "\n        switch ", "\n        case "});
constexpr auto typescript =
    then_lines({"\nexport ",    "\nnamespace ",      "\ninterface ", "\ntype ",    "\nenum ",   "\nabstract class ", "\nclass ",
                "\nfunction ",  "\nasync function ", "\nconst ",     "\nlet ",     "\nvar ",    "\n  public ",       "\n  protected ",
                "\n  private ", "\n  static ",       "\n  async ",   "\n  }\n",    "\n    }\n", "\n  if ",           "\n  for ",
                "\n  while ",   "\n  switch ",       "\n  case ",    "\n  default"});
constexpr auto visual_basic =
    then_lines({"\nNamespace ", "\nModule ", "\nClass ", "\nPublic ", "\nPrivate ", "\nFriend ", "\nSub ", "\nFunction ", "\n    Public ",
                "\n    Private ", "\n        If ", "\n        For ", "\n        Do ", "\n        Select "});
constexpr auto xml = std::to_array<std::string_view>({"\n<", "\n  <", "\n\n", "\r\n\r\n", "\n", "<", " ", ""});
constexpr auto yaml = then_lines({"\n---\n", "\n- "});
constexpr auto zig = then_lines({"\npub const ", "\nconst ", "\npub fn ", "\nfn ", "\ntest ", "\n    pub fn ", "\n    fn ", "\n    if ",
                                 "\n    for ", "\n    while ", "\n    switch "});

struct Entry {
  std::string_view name;
  List separators;
};

// Sorted, so that they can be searched.
constexpr auto languages = std::to_array<Entry>({
    {"bash", bash},
    {"c", c},
    {"c#", csharp},
    {"c++", cpp},
    {"cc", cpp},
    {"cobol", cobol},
    {"cpp", cpp},
    {"cs", csharp},
    {"csharp", csharp},
    {"css", css},
    {"cuda", cpp},
    {"cython", python},
    {"dart", dart},
    {"elixir", elixir},
    {"ex", elixir},
    {"go", go},
    {"golang", go},
    {"groovy", java},
    {"haskell", haskell},
    {"hs", haskell},
    {"htm", html},
    {"html", html},
    {"java", java},
    {"javascript", javascript},
    {"jl", julia},
    {"js", javascript},
    {"jsx", javascript},
    {"julia", julia},
    {"kotlin", kotlin},
    {"kt", kotlin},
    {"latex", latex},
    {"less", css},
    {"lua", lua},
    {"markdown", markdown},
    {"md", markdown},
    {"objective-c", c},
    {"objective-c++", cpp},
    {"perl", perl},
    {"php", php},
    {"pl", perl},
    {"powershell", powershell},
    {"proto", protobuf},
    {"protobuf", protobuf},
    {"ps1", powershell},
    {"py", python},
    {"python", python},
    {"r", r},
    {"rb", ruby},
    {"restructuredtext", restructuredtext},
    {"rs", rust},
    {"rst", restructuredtext},
    {"ruby", ruby},
    {"rust", rust},
    {"sass", css},
    {"scala", scala},
    {"scss", css},
    {"sh", bash},
    {"shell", bash},
    {"sol", solidity},
    {"solidity", solidity},
    {"sql", sql},
    {"starlark", python},
    {"svelte", html},
    {"svg", xml},
    {"swift", swift},
    {"tex", latex},
    {"ts", typescript},
    {"tsx", typescript},
    {"typescript", typescript},
    {"vb", visual_basic},
    {"vue", html},
    {"xml", xml},
    {"yaml", yaml},
    {"yml", yaml},
    {"zig", zig},
    {"zsh", bash},
});

static_assert(std::ranges::is_sorted(languages, {}, &Entry::name));

// ASCII letters in any case.
bool less(std::string_view left, std::string_view right) noexcept {
  const auto lower = [](char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; };
  return std::ranges::lexicographical_compare(left, right, {}, lower, lower);
}

}  // namespace

std::span<const std::string_view> separators_for(std::string_view language) noexcept {
  const auto entry = std::ranges::lower_bound(languages, language, less, &Entry::name);
  return entry != languages.end() && !less(language, entry->name) ? entry->separators : List(prose);
}

}  // namespace inlay
