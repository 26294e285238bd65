"""The bodies of answers, as types: one module a resource. `api.dialects.native` builds what they describe.

Annotations alone: nothing is checked when the API answers. The API's tests check each of their answers.
"""
