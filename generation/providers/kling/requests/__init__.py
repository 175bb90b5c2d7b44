"""What callers may ask of Kling, field for field as the vendor names it, in modules by family.

A value is refused here where the vendor would surely refuse it or silently do something else for
the same money. What a model can do is only judged for models known here: a new model's name passes,
and so does whatever is asked of it.
"""
