"""The texts of the golden vectors: code in five languages, prose, other scripts, and the edge cases.

Everything here was written for this repository. texts() always gives the same list in the same order.
"""

import random

PYTHON = [
    '''def moving_average(values, window):
    """Mean of each run of `window` values; an empty list when there are too few."""
    if window <= 0:
        raise ValueError(f"window must be positive, not {window}")
    total = sum(values[:window])
    means = [total / window] if len(values) >= window else []
    for left, right in zip(values, values[window:]):
        total += right - left
        means.append(total / window)
    return means
''',
    '''class TokenBucket:
    """Lets through `rate` requests a second, and bursts of `capacity`."""

    def __init__(self, rate, capacity, clock=time.monotonic):
        self._rate = rate
        self._capacity = capacity
        self._level = capacity
        self._clock = clock
        self._last = clock()

    def take(self, amount=1):
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._last) * self._rate)
        self._last = now
        if self._level < amount:
            return False
        self._level -= amount
        return True
''',
    '''def check_password(stored: bytes, candidate: str) -> bool:
    salt, digest = stored[:16], stored[16:]
    computed = hashlib.scrypt(candidate.encode("utf-8"), salt=salt, n=2**14, r=8, p=1)
    return hmac.compare_digest(digest, computed)
''',
    '''async def fetch_all(session, urls, limit=8):
    gate = asyncio.Semaphore(limit)

    async def fetch(url):
        async with gate, session.get(url) as response:
            response.raise_for_status()
            return url, await response.json()

    return dict(await asyncio.gather(*(fetch(url) for url in urls)))
''',
    "lambda pair: (-pair[1], pair[0])",
    "return [line.rstrip('\\n') for line in handle if not line.startswith('#')]",
    '''def edit_distance(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]
''',
    '''@dataclass(frozen=True)
class Interval:
    start: int
    stop: int

    def __contains__(self, point):
        return self.start <= point < self.stop

    def overlaps(self, other):
        return self.start < other.stop and other.start < self.stop
''',
    '''def parse_duration(text):
    """"1h30m" -> 5400. Units: d, h, m, s; each at most once, in this order."""
    match = re.fullmatch(r"(?:(\\d+)d)?(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?", text)
    if not match or not text:
        raise ValueError(f"not a duration: {text!r}")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
''',
    '''with sqlite3.connect(path) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    connection.executemany("INSERT INTO notes (body) VALUES (?)", [(note,) for note in notes])
''',
    '''def topological_order(graph):
    order, state = [], {}
    def visit(node):
        if state.get(node) == "open":
            raise ValueError(f"{node} depends on itself")
        if node in state:
            return
        state[node] = "open"
        for successor in graph.get(node, ()):
            visit(successor)
        state[node] = "done"
        order.append(node)
    for node in graph:
        visit(node)
    return order[::-1]
''',
]

CPP = [
    '''template <typename T>
class RingBuffer {
 public:
  explicit RingBuffer(std::size_t capacity) : items_(capacity) {}

  bool push(T item) {
    if (size_ == items_.size()) return false;
    items_[(head_ + size_++) % items_.size()] = std::move(item);
    return true;
  }

  std::optional<T> pop() {
    if (size_ == 0) return std::nullopt;
    T item = std::move(items_[head_]);
    head_ = (head_ + 1) % items_.size();
    --size_;
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};
''',
    '''std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \\t\\r\\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \\t\\r\\n") - first + 1);
}
''',
    '''int main(int argc, char** argv) {
  std::uint64_t lines = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    lines += std::count(std::istreambuf_iterator<char>(file), {}, '\\n');
  }
  std::cout << lines << " lines\\n";
}
''',
    '''void multiply(const float* a, const float* b, float* c, int rows, int inner, int columns) {
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < inner; ++k) {
      const float scale = a[i * inner + k];
      for (int j = 0; j < columns; ++j) c[i * columns + j] += scale * b[k * columns + j];
    }
  }
}
''',
    "std::lock_guard<std::mutex> guard(mutex_);",
    "template <class... Ts> struct overloaded : Ts... { using Ts::operator()...; };",
    '''class Arena {
 public:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    auto address = (reinterpret_cast<std::uintptr_t>(cursor_) + alignment - 1) & ~(alignment - 1);
    if (address + bytes > reinterpret_cast<std::uintptr_t>(end_)) return grow(bytes, alignment);
    cursor_ = reinterpret_cast<char*>(address + bytes);
    return reinterpret_cast<void*>(address);
  }
''',
    '''std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}
''',
    '''bool ThreadPool::submit(std::function<void()> task) {
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return false;
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
  return true;
}
''',
    '''#include <charconv>
std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
''',
]

JAVASCRIPT = [
    '''export function debounce(callback, delay) {
  let timer = null;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...args), delay);
  };
}
''',
    '''const groupBy = (items, key) =>
  items.reduce((groups, item) => {
    (groups[key(item)] ??= []).push(item);
    return groups;
  }, {});
''',
    '''async function login(form) {
  const response = await fetch("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: form.user.value, password: form.password.value }),
  });
  if (response.status === 401) throw new Error("wrong user name or password");
  if (!response.ok) throw new Error(`login failed: ${response.status}`);
  return response.json();
}
''',
    '''class EventEmitter {
  #listeners = new Map();
  on(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...list, listener]);
    return () => this.off(name, listener);
  }
  off(name, listener) {
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter((other) => other !== listener));
  }
  emit(name, ...values) {
    for (const listener of this.#listeners.get(name) ?? []) listener(...values);
  }
}
''',
    "document.querySelectorAll('li.done').forEach((node) => node.remove());",
    "const unique = [...new Set(words)].sort((a, b) => a.localeCompare(b));",
    '''function* primes() {
  const found = [];
  for (let n = 2; ; n++) {
    if (found.every((p) => p * p > n || n % p !== 0)) { found.push(n); yield n; }
  }
}
''',
    '''export const Counter = ({ start = 0 }) => {
  const [count, setCount] = useState(start);
  return (
    <button className="counter" onClick={() => setCount((c) => c + 1)}>
      clicked {count} {count === 1 ? "time" : "times"}
    </button>
  );
};
''',
    '''const router = express.Router();
router.get("/orders/:id", requireUser, async (request, response, next) => {
  try {
    const order = await orders.find(Number(request.params.id));
    if (!order) return response.sendStatus(404);
    response.json(order);
  } catch (error) {
    next(error);
  }
});
''',
    "let $a=0,_b=!0;for(;$a<10;$a+=2)_b&&console.log(`${$a}\\u2713`);",
]

GO = [
    '''func ReadLines(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}
''',
    '''type Cache[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]V
	limit   int
	order   []K
}

func (c *Cache[K, V]) Put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.entries[key]; !known {
		if len(c.order) == c.limit {
			delete(c.entries, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, key)
	}
	c.entries[key] = value
}
''',
    '''func worker(ctx context.Context, jobs <-chan Job, results chan<- Result) {
	for {
		select {
		case <-ctx.Done():
			return
		case job, open := <-jobs:
			if !open {
				return
			}
			results <- job.Run()
		}
	}
}
''',
    "if err := json.NewDecoder(r.Body).Decode(&payload); err != nil { http.Error(w, err.Error(), http.StatusBadRequest); return }",
    "var ErrExpired = errors.New(\"token has expired\")",
    '''func Reverse(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}
''',
    '''func TestReverse(t *testing.T) {
	cases := map[string]string{"": "", "a": "a", "héllo": "olléh", "日本": "本日"}
	for input, want := range cases {
		if got := Reverse(input); got != want {
			t.Errorf("Reverse(%q) = %q, want %q", input, got, want)
		}
	}
}
''',
    '''// Dijkstra returns the length of the shortest path from source to every vertex that can be reached.
func Dijkstra(graph map[int][]Edge, source int) map[int]int {
	distance := map[int]int{}
	queue := &priorityQueue{{vertex: source}}
	for queue.Len() > 0 {
		next := heap.Pop(queue).(item)
		if _, done := distance[next.vertex]; done {
			continue
		}
		distance[next.vertex] = next.cost
		for _, edge := range graph[next.vertex] {
			heap.Push(queue, item{vertex: edge.To, cost: next.cost + edge.Weight})
		}
	}
	return distance
}
''',
    '''http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
})
log.Fatal(http.ListenAndServe(":8080", nil))
''',
    "type Shape interface { Area() float64; Perimeter() float64 }",
]

RUST_SQL_SHELL = [
    '''fn word_counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}
''',
    '''impl<T: Ord> Heap<T> {
    pub fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        self.items.swap(0, last);
        let top = self.items.pop();
        self.sift_down(0);
        top
    }
}
''',
    '''#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("line {line}: unknown key `{key}`")]
    UnknownKey { line: usize, key: String },
}
''',
    "let total: u64 = orders.iter().filter(|o| o.paid).map(|o| o.amount).sum();",
    '''pub unsafe extern "C" fn buffer_free(buffer: *mut Buffer) {
    if !buffer.is_null() {
        drop(Box::from_raw(buffer));
    }
}
''',
    '''SELECT customer.name, COUNT(*) AS orders, SUM(item.price * item.quantity) AS revenue
FROM customer
JOIN purchase ON purchase.customer_id = customer.id
JOIN item ON item.purchase_id = purchase.id
WHERE purchase.placed_at >= DATE '2023-01-01'
GROUP BY customer.name
HAVING SUM(item.price * item.quantity) > 1000
ORDER BY revenue DESC
LIMIT 20;
''',
    "DELETE FROM session WHERE expires_at < NOW() - INTERVAL '7 days';",
    '''#!/bin/sh
set -eu
for image in "$@"; do
  target="${image%.*}.webp"
  [ "$target" -nt "$image" ] || cwebp -quiet -q 80 "$image" -o "$target"
done
''',
    "grep -rn --include='*.c' 'malloc(' src | awk -F: '{ count[$1]++ } END { for (f in count) print count[f], f }' | sort -rn",
    '''match stream.read(&mut chunk) {
    Ok(0) => break,
    Ok(length) => hasher.update(&chunk[..length]),
    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
    Err(error) => return Err(error.into()),
}
''',
]

PROSE = [
    "The ferry leaves at seven, and whoever is late walks round the bay.",
    "How do I read a document from disk?",
    "Where are passwords checked?",
    "A flat list of rows needs no padding, so short texts cost what they are worth.",
    "Rain again. The gardener swore softly, put down the spade, and went in to sharpen his pencils instead.",
    "Bees navigate by the sun even when clouds hide it, because the sky's polarised light still tells them where it is.",
    "She had counted the stairs so often that the number, forty-one, had come to mean the house itself.",
    "Interest rates rose by a quarter of a point; the markets, having expected a half, rose as well.",
    "Return the item within 30 days, unused & in its original box, for a full refund (less $4.99 shipping).",
    "WARNING: DO NOT OPEN THE HOUSING WHILE THE FAN IS RUNNING!!!",
    "e.g., i.e., etc. — abbreviations; don't, can't, it's, o'clock: contractions... and “curly quotes”, too.",
    "The patient reported mild headaches after three days of treatment, which ceased once the dose was halved.",
    "Connection refused: is the server running on host \"localhost\" (127.0.0.1) and accepting TCP/IP connections on port 5432?",
    "Traceback (most recent call last): KeyError: 'user_id'",
    "To install, run the script; to remove, delete the folder. There is no third step.",
    "Die Straße über den Fluß war gesperrt, weshalb der Bus einen Umweg über die Vorstädte nahm.",
    "Le café était fermé, mais la boulangère d'à côté nous a offert des crêpes encore tièdes.",
    "El niño señaló la montaña y preguntó por qué la nieve no se caía hacia abajo.",
    "A água do rio subiu três metros em duas noites; ninguém se lembrava de coisa assim.",
    "Naïve coöperation, façade, jalapeño, smörgåsbord, Dvořák, Łódź, Ærøskøbing.",
    "Поезд прибыл на станцию с опозданием на сорок минут, и никто не извинился.",
    "Το πλοίο έφυγε πριν την ανατολή και κανείς δεν το είδε να περνά τον φάρο.",
    "Tàu đến ga muộn bốn mươi phút nhưng không ai xin lỗi hành khách.",
    "İstanbul'da ışıklar sönünce kıyıdaki balıkçılar ağlarını topladı.",
    "Vlak přijel o čtyřicet minut později a nikdo se neomluvil.",
    "기차가 사십 분 늦게 도착했지만 아무도 사과하지 않았다.",
    "รถไฟมาถึงสถานีช้าไปสี่สิบนาที แต่ไม่มีใครขอโทษ",
    "הרכבת איחרה בארבעים דקות ואיש לא התנצל.",
    "Section 4.2(b): Notwithstanding the foregoing, the Lessee shall not sublet any part of the Premises without written consent.",
    "Water boils at 100 °C (212 °F) at 1 atm; at 3,000 m it boils at about 90 °C, so pasta takes longer.",
    "x² + y² = r², so ∂f/∂x = 2x and ∫₀¹ x dx = ½; for all ε > 0 there is a δ > 0 …",
    "Dear Ms O'Neill-García,\n\nThank you for your letter of 3 March.\n\nYours sincerely,\nT. Brandt",
    "- milk\n- 2 lemons\n- bread (rye)\n- batteries, AA\n",
    "# Heading\n\nA paragraph with *emphasis*, `code`, and [a link](https://example.org/path?q=1&r=2#top).\n\n> a quotation\n",
    "{\"name\": \"inlay\", \"tags\": [\"cpp\", \"embedding\"], \"stars\": 0, \"nested\": {\"deep\": null}}",
    "<p class=\"note\">Tom &amp; Anna<br/>were <b>here</b></p>",
    "2024-02-29T23:59:60Z 192.168.0.1 - GET /index.html?x=%20 HTTP/1.1 200 5120 0.003",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "antidisestablishmentarianism floccinaucinihilipilification pneumonoultramicroscopicsilicovolcanoconiosis",
    "buffalo buffalo Buffalo buffalo buffalo buffalo Buffalo buffalo",
]

CHINESE = [
    "今天下午三点开会，请大家准时参加。", "如何从磁盘读取文件？", "密码在哪里验证？", "春天来了，河边的柳树发出了新芽。",
    "他把书放回书架上，轻轻地关上了门。", "數據庫連接失敗，請檢查使用者名稱和密碼。", "机器学习模型需要大量的数据。", "山", "一二三四五六七八九十",
    "这个函数返回两个向量的余弦相似度，如果其中一个长度为零则返回零。", "老人每天早晨都到公园里打太极拳，然后去茶馆喝茶、看报纸。",
    "價格：￥128．００（含稅）；電話：０１２３－４５６７", "火车晚点了四十分钟，没有人道歉。", "𠀀𠀁𠀂 and 𪚥 beyond the first plane",
    "中文、English混排，没有空格also没关系。",
]

JAPANESE = [
    "明日の会議は午後三時から始まります。", "ファイルをディスクから読み込むにはどうすればいいですか。", "パスワードはどこで確認されますか？",
    "電車は四十分遅れて到着したが、誰も謝らなかった。", "ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟﾌﾟ 半角カナ", "がぎぐげご ぱぴぷぺぽ", "か\u3099き\u3099は\u309a decomposed",
    "東京タワーの高さは３３３メートルです。", "すもももももももものうち", "彼女は手紙を読み終えると、静かに窓を開けた。", "ありがとう", "㍿㌔㍑①②③",
    "プログラミング言語C++のテンプレートは強力だが難しい。", "吾が輩の庭には猫が三匹いる。名前はまだ決めていない。", "「はい」と『いいえ』・・・〜！？",
]

ARABIC = [
    "يبدأ الاجتماع غدا في الساعة الثالثة بعد الظهر.", "كيف أقرأ ملفا من القرص؟", "أين يتم التحقق من كلمات المرور؟", "وصل القطار متأخرا أربعين دقيقة ولم يعتذر أحد.",
    "اللُّغَةُ العَرَبِيَّةُ جَمِيلَةٌ", "السعر: ١٢٣٫٤٥ ريال", "سلام", "لا إله إلا أن يُقال الحق في وقته", "كتب الطفل اسمه على الرمل ثم محاه الموج.",
    "هذه الدالة function تعيد قيمة return value", "ﷺ ﷲ ﻻ ﻼ", "قهوة، شاي؛ ماء؟", "۱۲۳ فارسی و اردو",
]

HINDI = [
    "बैठक कल दोपहर तीन बजे शुरू होगी।", "डिस्क से फ़ाइल कैसे पढ़ें?", "पासवर्ड कहाँ जाँचे जाते हैं?", "रेलगाड़ी चालीस मिनट देर से आई और किसी ने क्षमा नहीं माँगी।",
    "नमस्ते", "क्षत्रिय ज्ञान श्रीमती", "मूल्य: ₹१२३.४५", "बच्चे ने रेत पर अपना नाम लिखा और लहर उसे मिटा गई।", "यह function दो vectors की समानता लौटाता है",
    "वसंत आया, नदी के किनारे पेड़ों पर नई कोंपलें फूटीं।", "क़ ख़ ग़ ज़ ड़ ढ़ फ़", "தமிழ் తెలుగు ಕನ್ನಡ മലയാളം বাংলা ગુજરાતી ਪੰਜਾਬੀ",
]

EMOJI = [
    "😀", "🚀🚀🚀", "I ❤️ this library", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷🇯🇵 flags", "👍🏽 skin tone", "text ☺︎ versus ☺️ emoji", "✅ done ❌ failed ⚠️ warning",
    "🤷‍♀️ whatever 🤷🏿‍♂️", "1️⃣2️⃣3️⃣ #️⃣", "🧑‍💻 writes code 💻 all night 🌙", "🏴󠁧󠁢󠁳󠁣󠁴󠁿 tags", "ok👌fine", "🎉" * 60, "♠♥♦♣ ♔♕♖♗",
]

CONTROL = [
    "a\x00b", "\x00", "\x00\x01\x02\x03\x04\x05\x06\x07\x08", "tab\tseparated\tvalues", "carriage\r\nreturn\rline\n", "\ufeffbyte order mark",
    "zero\u200bwidth\u200cjoiners\u200d!", "soft\u00adhyphen", "non\u00a0breaking\u00a0space", "\u2028line\u2029paragraph", "esc\x1b[31mred\x1b[0m", "del\x7f and c1 \x85\x9f",
    "replacement \ufffd character", "\u202eright-to-left override\u202c", "vertical\x0btab form\x0cfeed", "\ue000 private \uf8ff use \U000f0000", "noncharacter \ufdd0 \U0001fffe",
    "em\u2003space thin\u2009space ideographic\u3000space", "\x1f\x1e\x1d\x1c",
]

MIXED = [
    "def grüße(name): return f\"Grüß Gott, {name}! 你好 👋\"", "// TODO(王): исправить утечку памяти в ring buffer", "print('مرحبا')  # says hello",
    "const 価格 = 1_000; // 円", "naïve 東京 Москва القاهرة दिल्ली 서울", "αβγ = lambda δ: δ ** 2", "C:\\Users\\Ömer\\文書\\report (final).docx",
    "user@example.org, +49 (0)30 123-456, https://例え.jp/パス?q=ключ", "Á É Í (precomposed) and A\u0301 E\u0301 I\u0301 (combining)", "Zalgo: H\u0335\u0322e\u0336\u0321l\u0337\u0327p\u0334\u0328",
    "ﬁ ﬂ ﬀ ligatures, ① ② ③ circled, ℃ ℉ Å units", "ＦＵＬＬＷＩＤＴＨ ｌａｔｉｎ １２３", "ǅ ǆ ß ẞ ŉ İ ı ſ", "SELECT '名前' FROM \"таблица\" WHERE наименование LIKE '%é%';", "x→y ⇒ z ≤ ∞ ≠ ∅ ⊂ ℝ",
    "[CLS] special [SEP] tokens [MASK] inside [PAD] the text [UNK]", "[cls] lower [mask] case", "[MASK]", "##ing ##s not a piece", "½ ⅓ ² ³ ™ © ®",
]

EDGE = [
    "", " ", "\n", "   \t  \n ", "a", "Z", "7", ".", "!?", "word", "embedding", "the the the the", "_", "__init__", "-", "—", "'", "\"", "\\", "/", "0", "0x1F", "1e-12", "3.14159265358979",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z", "x" * 100, "x" * 101, "x" * 250, "(" * 300, "a." * 200, "中" * 300, "é" * 120, "e\u0301" * 60, "supercalifragilistic" * 5,
]


def words(count, seed):
    """So many words of made-up prose: a vocabulary of common words, sentences of varied length."""
    vocabulary = (
        "the a of to and in that it was for on are with as at be this have from or one had by but not what all were when we there can an your which "
        "their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no "
        "make than first been its who now people my made over did down only way find use may water long little very after words called just where "
        "most know river engine letter window memory vector signal garden harbour quiet yellow broken careful seven parser kernel thread packet"
    ).split()
    generator = random.Random(seed)
    result = []
    while len(result) < count:
        sentence = [generator.choice(vocabulary) for _ in range(generator.randint(3, 24))]
        sentence[0] = sentence[0].capitalize()
        sentence[-1] += generator.choice([".", ".", ".", "?", "!", ";"])
        result += sentence
    return " ".join(result[:count])


def texts():
    """A list of (kind, text)."""
    result = []
    for kind, snippets in (("python", PYTHON), ("cpp", CPP), ("javascript", JAVASCRIPT), ("go", GO), ("rust_sql_shell", RUST_SQL_SHELL)):
        result += [(kind, snippet) for snippet in snippets]
        result += [(kind, snippet.split("\n")[0]) for snippet in snippets if snippet.count("\n") > 1]  # a signature alone
        result += [(kind, "\n".join(snippets[i : i + 4])) for i in range(0, len(snippets) - 3, 3)]  # longer than the model sees
    for kind, several in (("prose", PROSE), ("chinese", CHINESE), ("japanese", JAPANESE), ("arabic", ARABIC), ("hindi", HINDI), ("emoji", EMOJI),
                          ("control", CONTROL), ("mixed", MIXED), ("edge", EDGE)):
        result += [(kind, text) for text in several]
    # Lengths around those at which batches, kernels and the limit of 256 tokens change course.
    result += [("words", words(count, seed=count)) for count in (2, 3, 5, 8, 12, 15, 16, 17, 30, 31, 32, 33, 60, 64, 100, 127, 200, 240, 250, 253, 254, 255, 256, 300, 512)]
    result += [("long", words(10_000, seed=0)), ("long", "\n".join(PYTHON + CPP + GO)), ("long", "。".join(CHINESE + JAPANESE) * 3)]
    return result
