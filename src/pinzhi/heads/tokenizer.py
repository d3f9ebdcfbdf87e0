"""The tokenizer: jieba words joined by spaces go in; words with a character fallback come out."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Bracket codes that `pinzhi.text` writes, and the marks that tell the encoder what a text is to it.
CODES = ("[url]", "[at]", "[email]", "[num]")
ROLES = ("[post]", "[comment]", "[value]")
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CODES, *ROLES)


def build_tokenizer(counts: Mapping[str, int]) -> "PreTrainedTokenizerFast":
    """Tokenizer over `counts` (token -> occurrences): a word in the vocabulary stays whole, another one is cut into
    its likeliest known parts, and only an unknown character becomes [UNK]."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    total = sum(counts.values())
    vocabulary = [(token, 0.0) for token in SPECIAL_TOKENS]
    vocabulary += sorted(((token, math.log(count / total)) for token, count in counts.items()), key=lambda x: -x[1])
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=SPECIAL_TOKENS.index("[UNK]"), byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ids = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        additional_special_tokens=[*CODES, *ROLES],
        model_input_names=["input_ids", "attention_mask"],
    )
