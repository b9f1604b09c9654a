"""OpenVINO on the CPU, fp32: the transformer converted from PyTorch, texts of equal length together so that nothing is padded, mean pooling.

    pip install openvino    # not among the set-up's packages
"""

from worker import serve

TOKENS_IN_A_BATCH = 2048


class OpenVinoPeer:
    def __init__(self, model, threads, max_length):
        import openvino
        import torch
        import transformers

        self._tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        self._max_length = max_length
        encoder = transformers.AutoModel.from_pretrained(model, dtype=torch.float32).eval()

        class LastHiddenState(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = encoder

            def forward(self, input_ids, attention_mask):
                return self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

        example = torch.randint(5, 100, (2, 7))
        converted = openvino.convert_model(LastHiddenState(), example_input=(example, torch.ones_like(example)), input=[[-1, -1], [-1, -1]])
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": 1}
        self._compiled = openvino.Core().compile_model(converted, "CPU", settings)
        self.name = f"OpenVINO {openvino.__version__.split('-')[0]}"

    def encode(self, texts):
        import numpy

        ids = self._tokenizer(texts, truncation=True, max_length=self._max_length, padding=False)["input_ids"]
        by_length = {}
        for index, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(index)
        vectors = [None] * len(texts)
        for length in sorted(by_length):
            at_once = max(1, TOKENS_IN_A_BATCH // length)
            own = by_length[length]
            for first in range(0, len(own), at_once):
                some = own[first : first + at_once]
                tokens = numpy.array([ids[index] for index in some], dtype=numpy.int64)
                hidden = next(iter(self._compiled([tokens, numpy.ones_like(tokens)]).values()))
                pooled = hidden.mean(axis=1)
                pooled /= numpy.linalg.norm(pooled, axis=1, keepdims=True)
                for index, vector in zip(some, pooled):
                    vectors[index] = vector
        return numpy.stack(vectors)


if __name__ == "__main__":
    serve(OpenVinoPeer)
