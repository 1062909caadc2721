"""A finished letter looked at once more, as the clients and filters that get it will: what is wrong becomes Problems.

`letter` asks all the others: `size`, `content` (pictures, links, headings, tables, leftovers), `contrast` in both
schemes, `styles` and `clients` (what Gmail and Outlook throw away), `headers`. `page` knows which post an element came
from. Errors hold an edition, warnings are shown. It changes nothing, and raises for no letter, however odd.
"""
