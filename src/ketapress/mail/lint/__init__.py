"""A finished letter looked at once more, as the clients and filters that get it will: what is wrong becomes Problems.

`letter` asks all the others: `size`, `content` (headings, tables, leftovers), `pictures`, `links`, `contrast` in both
schemes, `styles` and `clients` (what Gmail and Outlook throw away), `headers`. `page` knows which post an element came
from, `lines` where in its file. Errors hold an edition, warnings are shown. It changes nothing, and raises for no letter, however odd.
"""
