"""sentence-transformers on the CPU, fp32: its own encode, which sorts by length, with its default of 32 texts a batch."""

from worker import serve


class SentenceTransformersPeer:
    def __init__(self, model, threads, max_length):
        import sentence_transformers
        import torch

        torch.set_num_threads(threads)
        self._model = sentence_transformers.SentenceTransformer(model, device="cpu")
        self._model.max_seq_length = max_length
        self.name = f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}"

    def encode(self, texts):
        return self._model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)


if __name__ == "__main__":
    serve(SentenceTransformersPeer)
