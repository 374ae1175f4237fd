"""Forms of a repository, its builds and its candidates."""

from __future__ import annotations

from typing import Any

from django import forms

from releases.models import Repository


class RepositoryForm(forms.Form):
    """Where a team's work lies."""

    url = forms.CharField(
        label="Git address",
        max_length=500,
        help_text="https://…, ssh://…, or a path that the installation allows. "
        "Never put a token into the address.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    main_branch = forms.CharField(
        label="Main branch",
        max_length=200,
        initial="main",
        help_text="Every new commit on it is built and deployed to the team's CI org.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class EditRepositoryForm(RepositoryForm):
    """Changes where a team's work lies and what its builds carry."""

    build_scope = forms.ChoiceField(
        label="Builds send to the CI org",
        choices=Repository.BuildScope.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text="Only what the CI org does not hold yet deploys faster and deletes what the "
        "commit no longer holds. After a build that failed the whole package is sent again.",
    )

    def clean_build_scope(self) -> str:
        """Without an answer nothing changes."""
        kept = self.get_initial_for_field(self.fields["build_scope"], "build_scope")
        return str(self.cleaned_data["build_scope"] or kept)


class SecretArea(forms.Textarea):
    """Several lines that are typed in and never sent back to the browser, as a password is not."""

    def format_value(self, value: Any) -> None:
        """Show nothing, whatever was typed."""


class CredentialForm(forms.Form):
    """A token or deploy key; it is sealed when sent and never shown again."""

    access = forms.ChoiceField(
        label="Kind",
        choices=[
            (Repository.Access.TOKEN, "Access token over https"),
            (Repository.Access.SSH_KEY, "Deploy key over ssh"),
        ],
        widget=forms.RadioSelect,
        initial=Repository.Access.TOKEN,
    )
    username = forms.CharField(
        label="User name",
        required=False,
        max_length=200,
        help_text="Only for tokens, where the host asks for one.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label="Token or private key",
        strip=False,
        max_length=20_000,
        widget=SecretArea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Sealed to the build workers' key when you send it. Nobody can read it back "
        "here. Read access is enough. After a mistake elsewhere on this page, paste it again.",
    )
    known_host = forms.CharField(
        label="Host's public key",
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Only for ssh: the line of the host in known_hosts.",
    )

    def clean(self) -> dict[str, Any]:
        """A deploy key without the host's key would trust whoever answers."""
        cleaned = super().clean() or self.cleaned_data
        is_key = cleaned.get("access") == Repository.Access.SSH_KEY
        if is_key and not cleaned.get("known_host", "").strip():
            self.add_error("known_host", "Paste the host's public key line.")
        return cleaned


class StartBuildForm(forms.Form):
    """Builds a commit by hand."""

    sha = forms.RegexField(
        r"^\s*[0-9a-fA-F]{7,64}\s*$",
        label="Commit",
        error_messages={"invalid": "Type at least the first seven characters of a commit."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_sha(self) -> str:
        """Commits are lower case."""
        return str(self.cleaned_data["sha"]).strip().lower()


class TagForm(forms.Form):
    """Picks the tag that becomes a candidate."""

    tag = forms.CharField(
        max_length=250,
        help_text="Pick a tag; its commit is built and deployed to the team's TEST org.",
        widget=forms.TextInput(
            attrs={"list": "tags", "autocomplete": "off", "spellcheck": "false"}
        ),
    )


class TestResultForm(forms.Form):
    """What user testing found."""

    note = forms.CharField(
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who tested what, and where the protocol lies. Needed when it failed.",
    )
